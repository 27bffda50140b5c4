import type { Bar } from "../asset/bar.ts";

/** Fewer bars in common cannot tell a new scale from a correction. */
const MIN_COMMON_BARS = 3;

/** All ratios lie so close together, and so far from 1. */
const ALIKE = 0.005;
const APART = 0.01;

/**
 * The factor by which a series has been multiplied since it was stored (after ÷ before), when
 * closes (or volumes) of the same bars differ by one and the same factor: a vendor that adjusts its
 * history has adjusted it for a split. All of them do, or the older ones do while those from some
 * bar on, traded since the split, have not moved. Null when the scales agree, or when bars differ
 * each in their own way, which are corrections.
 */
export const scaleChange = (
  stored: readonly Bar[],
  given: readonly Bar[],
  of: "close" | "volume" = "close",
): number | null => {
  const before = new Map(stored.map((bar) => [bar.timestamp, bar[of]]));
  const ratios = given.flatMap((bar) => {
    const [was, is] = [before.get(bar.timestamp) ?? 0, bar[of] ?? 0];
    return was > 0 && is > 0 ? [is / was] : [];
  });
  // The newest bar may have been stored before the vendor had settled it.
  const settled = ratios.length > MIN_COMMON_BARS ? ratios.slice(0, -1) : ratios;
  if (settled.length < MIN_COMMON_BARS) return null;
  const middle = medianOf(settled);
  const oldest = medianOf(settled.slice(0, MIN_COMMON_BARS));
  // Where they all are alike, their median is the best estimate; else the oldest decide.
  const factor = settled.every((ratio) => isNear(ratio, middle, ALIKE)) ? middle : oldest;
  if (isNear(factor, 1, APART)) return null;
  const unmoved = settled.findIndex((ratio) => !isNear(ratio, factor, ALIKE));
  if (unmoved < 0) return factor;
  const isSplitOff =
    unmoved >= MIN_COMMON_BARS && settled.slice(unmoved).every((ratio) => isNear(ratio, 1, ALIKE));
  return isSplitOff ? factor : null;
};

const medianOf = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;

const isNear = (value: number, other: number, by: number): boolean =>
  Math.abs(value / other - 1) < by;
