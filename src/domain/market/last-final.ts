import { barKey } from "./bar-key.ts";
import { lastClosedSession } from "./calendar.ts";
import type { CalendarId } from "./calendar-id.ts";
import type { Resolution } from "./resolution.ts";

/**
 * The key (epoch ms) of the last bar that is final at an instant: nothing of a session, week or month under way. Shorter
 * bars are known by when they open, so for them it is the instant itself.
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
