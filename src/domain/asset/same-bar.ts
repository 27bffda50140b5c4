import type { Bar } from "./bar.ts";

/** Whether two bars tell the same about their period; the period itself is not compared. */
export const hasSameValues = (one: Bar, other: Bar): boolean =>
  one.close === other.close &&
  one.open === other.open &&
  one.high === other.high &&
  one.low === other.low &&
  one.volume === other.volume;
