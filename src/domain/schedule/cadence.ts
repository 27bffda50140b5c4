import type { SessionEdge } from "../market/calendar.ts";
import type { CalendarId } from "../market/calendar-id.ts";

/**
 * Due when the wall clock of a time zone matches a five-field cron expression (or `@daily`,
 * `@hourly`, …).
 */
export interface CronCadence {
  readonly type: "cron";
  readonly expression: string;
  /** An IANA name, as in `America/New_York`. */
  readonly timeZone: string;
}

/** Due every so many seconds of real time. */
export interface IntervalCadence {
  readonly type: "interval";
  readonly everySeconds: number;
  /**
   * An instant (epoch ms) that the beat goes through. It is a phase, not a start: slots lie on both
   * sides of it. Default 0.
   */
  readonly anchor?: number;
}

/**
 * Due at each session's open or close on a market's calendar, so many seconds later (or, when
 * negative, earlier).
 */
export interface CalendarCadence {
  readonly type: "calendar";
  readonly calendar: CalendarId;
  readonly event: SessionEdge;
  readonly offsetSeconds: number;
}

/** The rule by which a schedule's slots are due. */
export type Cadence = CronCadence | IntervalCadence | CalendarCadence;
