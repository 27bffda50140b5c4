import type { Resolution } from "./resolution.ts";

/**
 * The resolution an asset is told by: days; where there are none the next longer bars there are,
 * and else the longest.
 */
export const MAIN_RESOLUTIONS: readonly Resolution[] = [
  "1d",
  "1w",
  "1mo",
  "4h",
  "1h",
  "30m",
  "15m",
  "5m",
  "1m",
];

/**
 * Of the resolutions that an asset has bars in the one it is told by; days where it has none yet.
 */
export const mainResolution = (there: readonly Resolution[]): Resolution =>
  MAIN_RESOLUTIONS.find((one) => there.includes(one)) ?? "1d";
