import { sessionsBetween } from "./calendar.ts";
import { isoDateOf, utcDayOf } from "./calendar-day.ts";
import type { CalendarId } from "./calendar-id.ts";
import type { Resolution } from "./resolution.ts";
import { isIntraday, sessionFinder } from "./session-slots.ts";

/**
 * Of ascending instants (epoch ms) at which bars open, the indices of those at which the market is
 * closed: before the opening, at or after the close, on a holiday. A day counts by its key. None
 * where the calendar is unknown, and none of weeks and months.
 */
export const offSession = (
  opens: readonly number[],
  resolution: Resolution,
  calendar: CalendarId,
): ReadonlySet<number> => {
  const [first, last] = [opens[0], opens.at(-1)];
  const isEvaluated = isIntraday(resolution) || resolution === "1d";
  if (first === undefined || last === undefined || !isEvaluated) return new Set();
  const days = [isoDateOf(utcDayOf(first) - 1), isoDateOf(utcDayOf(last) + 2)] as const;
  const answer = sessionsBetween(calendar, ...days);
  if (answer.kind === "refused") return new Set();
  const dates = new Set(answer.sessions.map(({ date }) => Date.parse(date)));
  const find = sessionFinder(answer.sessions);
  const isOpen = (instant: number) =>
    resolution === "1d" ? dates.has(instant) : find(instant) !== null;
  return new Set(opens.flatMap((instant, index) => (isOpen(instant) ? [] : [index])));
};
