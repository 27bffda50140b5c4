import { type Session, sessionsBetween } from "./calendar.ts";
import { isoDateOf, utcDayOf } from "./calendar-day.ts";
import type { CalendarId } from "./calendar-id.ts";
import type { Resolution } from "./resolution.ts";

/** Resolutions whose bars are inside one session. */
export type Intraday = Exclude<Resolution, "1d" | "1w" | "1mo">;

const MINUTE = 60_000;

/** Length of one bar, milliseconds. */
const LENGTH: Readonly<Record<Intraday, number>> = {
  "1m": MINUTE,
  "5m": 5 * MINUTE,
  "15m": 15 * MINUTE,
  "30m": 30 * MINUTE,
  "1h": 60 * MINUTE,
  "4h": 240 * MINUTE,
};

/** Length of one bar, milliseconds. */
export const barLength = (resolution: Intraday): number => LENGTH[resolution];

export const isIntraday = (resolution: Resolution): resolution is Intraday =>
  Object.hasOwn(LENGTH, resolution);

/**
 * When the bars of a session open (epoch ms), counted from its opening: a session that is no
 * multiple of the bar's length ends with a shorter bar. New York's six and a half hours are two
 * bars of 4h.
 */
export const slotsOf = (session: Session, resolution: Intraday): number[] => {
  const length = LENGTH[resolution];
  const slots: number[] = [];
  for (let at = session.open; at < session.close; at += length) slots.push(at);
  return slots;
};

/** The opening (epoch ms) of the bar of a session to which an instant in it belongs. */
export const slotOf = (session: Session, resolution: Intraday, instant: number): number =>
  instant - ((instant - session.open) % LENGTH[resolution]);

/**
 * The sessions that may contain any of the instants from `first` to `last` (epoch ms), oldest
 * first; none where the calendar is unknown.
 */
export const sessionsAround = (
  calendar: CalendarId,
  first: number,
  last: number,
): readonly Session[] => {
  const answer = sessionsBetween(
    calendar,
    isoDateOf(utcDayOf(first) - 1),
    isoDateOf(utcDayOf(last) + 2),
  );
  return answer.kind === "sessions" ? answer.sessions : [];
};

/**
 * Finds the session of ascending instants, one after the other; null for an instant at which the
 * market is closed.
 */
export const sessionFinder = (
  sessions: readonly Session[],
): ((instant: number) => Session | null) => {
  let at = 0;
  return (instant) => {
    while ((sessions[at]?.close ?? Number.POSITIVE_INFINITY) <= instant) at += 1;
    const session = sessions[at];
    return session !== undefined && session.open <= instant ? session : null;
  };
};
