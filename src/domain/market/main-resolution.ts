import type { Resolution } from "./resolution.ts";

/**
 * The main resolution of an asset: days; without them the next longer bars it has, and else the
 * longest.
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

/** The main resolution among those that an asset has bars in; days when it has none yet. */
export const mainResolution = (there: readonly Resolution[]): Resolution =>
  MAIN_RESOLUTIONS.find((one) => there.includes(one)) ?? "1d";
