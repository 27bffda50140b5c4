import { Cron } from "croner";
import type { CronCadence } from "./cadence.ts";
import type { SlotRule } from "./slot-rule.ts";

/**
 * Sixty minutes listed one by one make 170 characters; a much longer one was not written by a
 * person.
 */
const MAX_EXPRESSION_LENGTH = 256;

/**
 * 2000-01-01. An expression that has not fired within the 400 years that croner searches after it
 * never will.
 */
const REFERENCE = new Date(946_684_800_000);

/**
 * croner, restricted to our meaning of cron.
 *
 * Five fields, because the clock ticks once a minute. When the clocks change, croner knows two
 * kinds of expression:
 * - with fixed minutes and hours (`30 2 * * *`, `0 9,17 * * 1-5`) a time in the spring gap
 * is due once, at the first moment after the gap, and a time that autumn repeats is due
 * once, at its first occurrence;
 * - with a wildcard or a step in minutes or hours (`0 * * * *`) slots follow the hours that
 * really pass: none in the gap, and one on each pass of the repeated hour.
 */
const parsed = ({ expression, timeZone }: CronCadence): Cron =>
  new Cron(expression, { timezone: timeZone, mode: "5-part", fixedTimeRule: "no-wildcard" });

const isIanaZone = (timeZone: string): boolean => {
  // Intl also takes "+02:00", which would silently ignore summer time.
  if (!/^[A-Za-z]/.test(timeZone)) return false;
  try {
    return new Intl.DateTimeFormat("en-US", { timeZone }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
};

/** The reason why a cron cadence cannot work, or null when it can. */
export const reasonAgainstCron = (cadence: CronCadence): string | null => {
  const expression = cadence.expression.trim();
  if (expression.length > MAX_EXPRESSION_LENGTH) return "the cron expression is too long";
  // croner reads text with a colon as one date, which is no rule.
  if (expression.includes(":")) return "a cron expression has five fields, and no clock times";
  if (!isIanaZone(cadence.timeZone)) return `"${cadence.timeZone}" is not a time zone (IANA name)`;
  try {
    return parsed(cadence).nextRun(REFERENCE) === null ? "the cron expression never fires" : null;
  } catch (error) {
    const detail = error instanceof Error ? error.message.replace(/^\w+: /, "") : String(error);
    return `the cron expression cannot be read: ${detail}`;
  }
};

/**
 * Slots where the wall clock matches. croner always gets the instant to start from, so it never
 * reads its own clock.
 */
export const cronRule = (cadence: CronCadence): SlotRule => {
  const cron = parsed(cadence);
  return {
    next: (after) => cron.nextRun(new Date(after))?.getTime() ?? null,
    previous: (before) => cron.previousRuns(1, new Date(before))[0]?.getTime() ?? null,
    count: () => null,
  };
};
