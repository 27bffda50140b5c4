import { dayOf } from "./calendar-day.ts";
import { at, MONDAY_TO_FRIDAY, NO_EARLY_CLOSES, type TradingRules } from "./trading-rules.ts";

/**
 * Foreign exchange, by the market's convention: a date's session runs from 17:00 New York on the
 * evening before to 17:00 on the date, so the week is Sunday evening to Friday evening. Closed on
 * 25 December and 1 January as our policy: banks quote thinly then, and a bar of such a day means
 * little.
 */
export const FX: TradingRules = {
  zone: "America/New_York",
  opensAt: at(17) - at(24),
  closesAt: at(17),
  weekdays: MONDAY_TO_FRIDAY,
  closures: (year) => new Set([dayOf(year, 1, 1), dayOf(year, 12, 25)]),
  earlyCloses: () => NO_EARLY_CLOSES,
};
