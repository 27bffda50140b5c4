import type { Cadence, CalendarCadence, IntervalCadence } from "./cadence.ts";
import { reasonAgainstCron } from "./cron-rule.ts";

/** The clock ticks once a minute, so no slot can be due more often. */
const MIN_INTERVAL_SECONDS = 60;
const MAX_INTERVAL_SECONDS = 31 * 86_400;
const MAX_OFFSET_SECONDS = 86_400;
/** The largest instant that ECMAScript can hold (epoch ms). */
const LAST_INSTANT = 8.64e15;

const reasonAgainstInterval = ({ everySeconds, anchor }: IntervalCadence): string | null => {
  if (!Number.isInteger(everySeconds)) return "the interval must be a whole number of seconds";
  if (everySeconds < MIN_INTERVAL_SECONDS) return "the interval must be at least 60 seconds";
  if (everySeconds > MAX_INTERVAL_SECONDS) return "the interval must be at most 31 days";
  if (anchor !== undefined && !(Number.isInteger(anchor) && Math.abs(anchor) <= LAST_INSTANT)) {
    return "the anchor must be an instant in whole milliseconds";
  }
  return null;
};

const reasonAgainstCalendar = ({ offsetSeconds }: CalendarCadence): string | null => {
  if (!Number.isInteger(offsetSeconds)) return "the offset must be a whole number of seconds";
  if (Math.abs(offsetSeconds) > MAX_OFFSET_SECONDS) return "the offset must lie within one day";
  return null;
};

/**
 * The reason why a cadence is invalid, in words for its author, or null when it is valid. Call it
 * before storing one.
 */
export const validateCadence = (cadence: Cadence): string | null => {
  switch (cadence.type) {
    case "cron":
      return reasonAgainstCron(cadence);
    case "interval":
      return reasonAgainstInterval(cadence);
    case "calendar":
      return reasonAgainstCalendar(cadence);
  }
};
