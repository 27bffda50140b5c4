import { lastSession, nextSession } from "../market/calendar.ts";
import type { CalendarCadence } from "./cadence.ts";
import type { SlotRule } from "./slot-rule.ts";

/**
 * Slots at a fixed distance from the open or the close of each session, holidays and early closes
 * included.
 */
export const calendarRule = ({ calendar, event, offsetSeconds }: CalendarCadence): SlotRule => {
  const offset = offsetSeconds * 1000;
  return {
    next: (after) => {
      const session = nextSession(calendar, event, after - offset);
      return session === null ? null : session[event] + offset;
    },
    previous: (before) => {
      const session = lastSession(calendar, event, before - offset - 1);
      return session === null ? null : session[event] + offset;
    },
    count: () => null,
  };
};
