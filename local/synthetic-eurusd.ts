import type { Bar } from "../src/domain/asset/bar.ts";
import { seededNormal, seededUniform } from "./seeded-random.ts";

const DAY = 86_400_000;
const FIRST_DAY = Date.UTC(2014, 0, 1);
const LAST_DAY = Date.UTC(2020, 3, 17);
const SEED = 20_140_101;

/**
 * Where the walk starts and the level that pulls at it: about where the euro was, so that charts
 * look plausible.
 */
const START = 1.37;
const LEVEL = 1.14;
/** The pull of one day, as a share of the distance. */
const PULL = 0.004;
/** Standard deviation of a day's return: some 8 % a year. */
const DAILY_VOLATILITY = 0.005;
/**
 * A night moves a tenth of what a day moves; a wick reaches up to half a typical day beyond the
 * body.
 */
const NIGHT = 0.1;
const WICK = 0.5;

/**
 * Invented daily bars of the euro in dollars, from 2014 to April 2020. Only + − × ÷ take part,
 * which IEEE 754 rounds alike everywhere, so that tests can pin the numbers. Volume is null:
 * currencies have no central tape.
 */
export const syntheticEurUsd = (): Bar[] => {
  const uniform = seededUniform(SEED);
  const normal = seededNormal(uniform);
  const bars: Bar[] = [];
  let last = START;
  for (let day = FIRST_DAY; day <= LAST_DAY; day += DAY) {
    if (!isTraded(day)) continue;
    const open = last * (1 + DAILY_VOLATILITY * NIGHT * normal());
    const close = open * (1 + DAILY_VOLATILITY * normal()) + PULL * (LEVEL - open);
    const high = Math.max(open, close) * (1 + DAILY_VOLATILITY * WICK * uniform());
    const low = Math.min(open, close) * (1 - DAILY_VOLATILITY * WICK * uniform());
    bars.push({
      timestamp: day,
      open: pips(open),
      high: pips(high),
      low: pips(low),
      close: pips(close),
      volume: null,
    });
    last = close;
  }
  return bars;
};

const isTraded = (day: number): boolean => {
  const date = new Date(day);
  const weekday = date.getUTCDay();
  const monthDay = `${date.getUTCMonth() + 1}-${date.getUTCDate()}`;
  return weekday !== 0 && weekday !== 6 && monthDay !== "12-25" && monthDay !== "1-1";
};

/** Quotes have five decimals. */
const pips = (price: number): number => Math.round(price * 100_000) / 100_000;
