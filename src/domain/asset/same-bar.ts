import type { Bar } from "./bar.ts";

/** Compares the values of two bars; the period itself is not compared. */
export const hasSameValues = (one: Bar, other: Bar): boolean =>
  one.close === other.close &&
  one.open === other.open &&
  one.high === other.high &&
  one.low === other.low &&
  one.volume === other.volume;
