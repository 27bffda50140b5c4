import type { ProblemItem } from "../outcome.ts";
import { type Answer, answered, declined } from "./portfolio-refusal.ts";

/**
 * Whole shares for an amount of money. `shares` and `weights` (value held / amount) per symbol;
 * `invested` + `cash` is the amount. Money in the currency of the prices.
 */
export interface ShareAllocation {
  readonly shares: Readonly<Record<string, number>>;
  readonly weights: Readonly<Record<string, number>>;
  readonly invested: number;
  readonly cash: number;
}

/** Target weight of an asset (a fraction of the amount) and the price of a share. */
export interface WantedShare {
  readonly symbol: string;
  readonly weight: number;
  readonly price: number;
}

/** A count of shares this near below a whole number is that number: 0.3 · 1,000 / 100 is 3. */
const WHOLE = 1e-9;

/**
 * Turns weights into whole shares, greedily. First each asset gets as many as its part of the
 * amount pays for in full. Then, again and again, one more of the asset that is furthest below its
 * part (in money; the earlier named one of equals), if the cash that is left pays for it; otherwise
 * the next such asset. No asset gets another share once it has passed its part, so each is at most
 * one share above it and the rest stays cash. Long only: refuses `invalidInput` for negative
 * weights, weights above 1 together, invalid prices and amounts.
 */
export const allocateShares = (
  wanted: readonly WantedShare[],
  amount: number,
): Answer<ShareAllocation> => {
  const errors: ProblemItem[] = [];
  let total = 0;
  for (const { symbol, weight, price } of wanted) {
    total += weight;
    if (!(weight >= 0 && weight <= 1 + WHOLE)) {
      errors.push({
        field: `weights.${symbol}`,
        reason: "whole shares are for weights from 0 to 1",
      });
    }
    if (!(price > 0 && Number.isFinite(price))) {
      errors.push({ field: `prices.${symbol}`, reason: "a price is a positive number" });
    }
  }
  if (total > 1 + WHOLE) errors.push({ field: "weights", reason: "weights add up to more than 1" });
  if (!(amount >= 0 && Number.isFinite(amount))) {
    errors.push({ field: "amount", reason: "an amount is 0 or more" });
  }
  if (errors.length > 0)
    return declined("invalidInput", "These shares cannot be counted.", { errors });

  const counts = wanted.map(({ weight, price }) => Math.floor((weight * amount) / price + WHOLE));
  const invested = (): number =>
    wanted.reduce((sum, { price }, index) => sum + (counts[index] ?? 0) * price, 0);
  const byShortfall = wanted
    .map(({ weight, price }, index) => ({
      index,
      price,
      shortfall: weight * amount - (counts[index] ?? 0) * price,
    }))
    .filter(({ shortfall, price }) => shortfall > WHOLE * price)
    .toSorted((a, b) => b.shortfall - a.shortfall);
  let cash = amount - invested();
  for (const { index, price } of byShortfall) {
    if (price > cash) continue;
    counts[index] = (counts[index] ?? 0) + 1;
    cash -= price;
  }
  const held = Math.min(amount, invested());
  return answered({
    shares: Object.fromEntries(wanted.map(({ symbol }, index) => [symbol, counts[index] ?? 0])),
    weights: Object.fromEntries(
      wanted.map(({ symbol, price }, index) => [
        symbol,
        amount > 0 ? ((counts[index] ?? 0) * price) / amount : 0,
      ]),
    ),
    invested: held,
    cash: amount - held,
  });
};
