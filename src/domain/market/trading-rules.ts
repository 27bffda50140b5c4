import { FRIDAY, MONDAY, THURSDAY, TUESDAY, WEDNESDAY } from "./calendar-day.ts";
import type { MarketZone } from "./zone-time.ts";

/**
 * When one market trades. Times are minutes after midnight of the session's date on the market's
 * own clock.
 */
export interface TradingRules {
  readonly zone: MarketZone;
  /** Negative when the session opens on the evening before its date. */
  readonly opensAt: number;
  readonly closesAt: number;
  /** 0 for Sunday … 6 for Saturday. */
  readonly weekdays: ReadonlySet<number>;
  /**
   * Day numbers on which the market stays closed in a year; they may hold weekends and other years'
   * ad-hoc days too.
   */
  readonly closures: (year: number) => ReadonlySet<number>;
  /**
   * Day number → closing time, for the days of a year that end early. A closure on the same day
   * wins.
   */
  readonly earlyCloses: (year: number) => ReadonlyMap<number, number>;
}

export const MONDAY_TO_FRIDAY: ReadonlySet<number> = new Set([
  MONDAY,
  TUESDAY,
  WEDNESDAY,
  THURSDAY,
  FRIDAY,
]);

/** Minutes after midnight. */
export const at = (hour: number, minute = 0): number => hour * 60 + minute;

export const NO_EARLY_CLOSES: ReadonlyMap<number, number> = new Map();
