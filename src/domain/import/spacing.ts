import { MILLISECONDS_PER_DAY } from "../market/calendar-day.ts";
import type { Resolution } from "../market/resolution.ts";
import type { Question } from "./question.ts";

const MINUTE = 60_000;
const DAY = MILLISECONDS_PER_DAY;

const SHORT: readonly (readonly [Resolution, number])[] = [
  ["1m", MINUTE],
  ["5m", 5 * MINUTE],
  ["15m", 15 * MINUTE],
  ["30m", 30 * MINUTE],
  ["1h", 60 * MINUTE],
  ["4h", 240 * MINUTE],
];

/** Fewer rows than this may be single days that happen to lie a week or a month apart. */
const MIN_ROWS = 6;

/**
 * The resolution by the spacing of a file's moments, or null when it is unclear: the median of the
 * gaps between one row and the next. Nights, weekends and holidays are the longer gaps, and fewer.
 */
export const spacingOf = (instants: readonly number[]): Resolution | null => {
  const sorted = Float64Array.from(new Set(instants)).sort();
  if (sorted.length < 2) return null;
  const gaps = new Float64Array(sorted.length - 1);
  for (let at = 1; at < sorted.length; at += 1)
    gaps[at - 1] = (sorted[at] ?? 0) - (sorted[at - 1] ?? 0);
  gaps.sort();
  const middle = gaps[Math.floor((gaps.length - 1) / 2)] ?? 0;
  const short = SHORT.find(([, length]) => length === middle);
  if (short !== undefined) return short[0];
  if (middle < 20 * 60 * MINUTE) return null;
  if (middle <= 4 * DAY) return "1d";
  if (middle >= 6 * DAY && middle <= 8 * DAY) return "1w";
  return middle >= 27 * DAY && middle <= 32 * DAY ? "1mo" : null;
};

/**
 * A file that names no resolution is of days; when its rows clearly have another spacing, that is a
 * question.
 */
export const askResolution = (spacing: Resolution | null, rows: number): Question | null => {
  if (spacing === null || spacing === "1d") return null;
  const isLong = spacing === "1w" || spacing === "1mo";
  if (isLong && rows < MIN_ROWS) return null;
  return {
    parameter: "resolution",
    question: `the rows lie ${spacing} apart, and the query has no resolution=${spacing}`,
    choices: [
      { parameter: "resolution", value: spacing, means: "bars of that length" },
      ...(isLong ? [{ parameter: "resolution" as const, value: "1d", means: "single days" }] : []),
    ],
    otherwise: null,
  };
};
