import { SATURDAY, SUNDAY } from "./calendar-day.ts";
import { at, MONDAY_TO_FRIDAY, NO_EARLY_CLOSES, type TradingRules } from "./trading-rules.ts";

const NEVER_CLOSED: ReadonlySet<number> = new Set();

/**
 * Crypto exchanges never close; their day is the UTC day, which is how every venue we read cuts its
 * daily candles.
 */
export const CRYPTO: TradingRules = {
  zone: "UTC",
  opensAt: at(0),
  closesAt: at(24),
  weekdays: new Set([SUNDAY, ...MONDAY_TO_FRIDAY, SATURDAY]),
  closures: () => NEVER_CLOSED,
  earlyCloses: () => NO_EARLY_CLOSES,
};
