import type { Bar } from "../src/domain/asset/bar.ts";
import type { CorporateAction } from "../src/domain/asset/corporate-action.ts";
import { sessionsBetween } from "../src/domain/market/calendar.ts";
import { seededNormal, seededUniform } from "./seeded-random.ts";

const FIRST_DATE = "2014-01-02";
const LAST_DATE = "2020-04-17";
const SEED = 20_140_102;

const START = 20;
/** Drift of the share's level: it doubles in seven years. */
const LEVEL_PER_DAY = 0.011;
const PULL = 0.003;
const DAILY_VOLATILITY = 0.013;
const NIGHT = 0.3;
const WICK = 0.5;
const MEAN_VOLUME = 2_000_000;

/** Paid on the first session from the 15th of these months on. */
const MONTHS = [2, 5, 8, 11];

/**
 * Two new shares for one old, before the replay begins: the vendor has long put its history on the
 * new scale.
 */
const SPLIT: CorporateAction = {
  type: "split",
  exDate: Date.UTC(2015, 5, 15),
  numerator: 2,
  denominator: 1,
};

/**
 * An invented company whose share splits and pays dividends, from 2014 to April 2020, on New York's
 * sessions; prices and dividends are on the scale after the split, as vendors serve them. The real
 * series of the demo have no such history: what they come with is adjusted already, or no dividend
 * was paid. Only + − × ÷ take part, so that tests can pin the numbers.
 */
export const syntheticCompany = (): {
  readonly bars: readonly Bar[];
  readonly actions: readonly CorporateAction[];
} => {
  const sessions = sessionsBetween("XNYS", FIRST_DATE, LAST_DATE);
  if (sessions.kind === "refused") throw new Error(sessions.reason);
  const uniform = seededUniform(SEED);
  const normal = seededNormal(uniform);
  const bars: Bar[] = [];
  const actions: CorporateAction[] = [SPLIT];
  const paid = new Set<string>();
  let last = START;
  for (const [index, { date }] of sessions.sessions.entries()) {
    const timestamp = Date.parse(date);
    const dividend = dividendOn(date, paid);
    if (dividend !== null) actions.push({ type: "dividend", exDate: timestamp, amount: dividend });
    const level = START + LEVEL_PER_DAY * index;
    const open = (last - (dividend ?? 0)) * (1 + DAILY_VOLATILITY * NIGHT * normal());
    const close = open * (1 + DAILY_VOLATILITY * normal()) + PULL * (level - open);
    const high = Math.max(open, close) * (1 + DAILY_VOLATILITY * WICK * uniform());
    const low = Math.min(open, close) * (1 - DAILY_VOLATILITY * WICK * uniform());
    bars.push({
      timestamp,
      open: cents(open),
      high: cents(high),
      low: cents(low),
      close: cents(close),
      volume: Math.round(MEAN_VOLUME * (0.5 + uniform())),
    });
    last = close;
  }
  return { bars, actions: actions.toSorted((a, b) => a.exDate - b.exDate) };
};

/**
 * Cash for one share on the first session from the middle of a paying month on: a cent more each
 * year.
 */
function dividendOn(date: string, paid: Set<string>): number | null {
  const [year = 0, month = 0, day = 0] = date.split("-").map(Number);
  const quarter = `${year}-${month}`;
  if (!MONTHS.includes(month) || day < 15 || paid.has(quarter)) return null;
  paid.add(quarter);
  return (10 + (year - 2014)) / 100;
}

const cents = (price: number): number => Math.round(price * 100) / 100;
