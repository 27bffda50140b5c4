import { barKey } from "./bar-key.ts";
import { lastClosedSession } from "./calendar.ts";
import { MILLISECONDS_PER_DAY } from "./calendar-day.ts";
import type { CalendarId } from "./calendar-id.ts";
import type { Resolution } from "./resolution.ts";
import { isIntraday, sessionFinder, sessionsAround, slotOf } from "./session-slots.ts";

/**
 * The key (epoch ms) of the last bar that is final at an instant: no part of a session, week or
 * month under way. Shorter bars are identified by the instant they open, so for them it is the
 * instant itself.
 */
export const lastFinal = (resolution: Resolution, calendar: CalendarId, until: number): number => {
  switch (resolution) {
    case "1d": {
      const session = lastClosedSession(calendar, until);
      return session === null ? until : Date.parse(session.date);
    }
    case "1w":
    case "1mo":
      return barKey(resolution, calendar, until) - 1;
    default:
      return until;
  }
};

/**
 * A key (epoch ms) above those of all bars that are final at an instant, and no higher than that of
 * the first which is not.
 */
export const firstUnfinished = (
  resolution: Resolution,
  calendar: CalendarId,
  now: number,
): number => {
  if (isIntraday(resolution)) {
    const session = sessionFinder(sessionsAround(calendar, now, now))(now);
    return session === null ? now + 1 : slotOf(session, resolution, now);
  }
  // A day of FX begins on the evening before its key and ends before the next midnight.
  return lastFinal(resolution, calendar, now) + (resolution === "1d" ? MILLISECONDS_PER_DAY : 1);
};
