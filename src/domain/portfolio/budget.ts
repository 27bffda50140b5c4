/*
 * Limits of one optimisation. A Worker has 128 MB and, by default, 30 seconds of CPU: with 100
 * assets a choice of weights takes up to some 50 ms, so the walk-forward gets few windows there.
 */

export const MIN_ASSETS = 2;
export const MAX_ASSETS = 100;
export const MAX_FRONTIER_STEPS = 50;

/** Closes of one asset, and of all together, that are read; the newest count. */
const MAX_DATES = 5_000;
const MAX_CLOSES = 250_000;

/** Windows × assets² of a walk-forward, and windows in all. */
const MAX_WINDOW_WORK = 100_000;
const MAX_WINDOWS = 60;

/** Max newest closes of each of so many assets: 5,000 up to 50 assets, 2,500 with 100. */
export const datesPerAsset = (assets: number): number =>
  Math.min(MAX_DATES, Math.floor(MAX_CLOSES / Math.max(1, assets)));

/** Max choices of the weights of so many assets: 60 up to 40 assets, 10 with 100. */
export const windowsFor = (assets: number): number =>
  Math.max(1, Math.min(MAX_WINDOWS, Math.floor(MAX_WINDOW_WORK / assets ** 2)));
