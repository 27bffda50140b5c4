const FIRST_DAY = Date.UTC(2001, 0, 1);
const DAY = 86_400_000;

export const HEADER = "timestamp,open,high,low,close,volume";

/** The calendar date of the n-th invented bar. */
export const dateOf = (day: number): string =>
  new Date(FIRST_DAY + day * DAY).toISOString().slice(0, 10);

/** A price that swings, so that indicators have values; always the same for the same day. */
export const closeOf = (day: number): number =>
  Math.round((100 + 20 * Math.sin(day / 25) + (day % 5)) * 100) / 100;

/** A CSV of one bar a day, for a market that is always open. */
export function dailyBars(count: number, from = 0): string {
  const rows = Array.from({ length: count }, (_, index) => {
    const day = from + index;
    const close = closeOf(day);
    return `${dateOf(day)},${close - 0.5},${close + 1},${close - 1},${close},${1000 + day}`;
  });
  return [HEADER, ...rows].join("\n");
}
