import type { Bar } from "../asset/bar.ts";

/** Fewer closes in common cannot tell a new scale from a correction. */
const FEWEST_IN_COMMON = 3;

/** All ratios lie so close together, and so far from 1. */
const ALIKE = 0.005;
const APART = 0.01;

/**
 * By what a series has been multiplied since it was stored (after ÷ before), when closes of the same bars differ by one and
 * the same factor: a vendor that adjusts its history has adjusted it for a split. Null when the scales agree, or when the
 * closes differ each in their own way, which are corrections.
 */
export const scaleChange = (stored: readonly Bar[], given: readonly Bar[]): number | null => {
  const before = new Map(stored.map(({ timestamp, close }) => [timestamp, close]));
  const ratios = given.flatMap(({ timestamp, close }) => {
    const was = before.get(timestamp);
    return was !== undefined && was > 0 && close > 0 ? [close / was] : [];
  });
  // The newest bar may have been stored before the vendor had settled it.
  const settled = ratios.length > FEWEST_IN_COMMON ? ratios.slice(0, -1) : ratios;
  const middle = settled.toSorted((a, b) => a - b)[Math.floor(settled.length / 2)];
  if (middle === undefined || settled.length < FEWEST_IN_COMMON) return null;
  if (Math.abs(middle - 1) < APART) return null;
  return settled.every((ratio) => Math.abs(ratio / middle - 1) < ALIKE) ? middle : null;
};
