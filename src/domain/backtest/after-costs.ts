import type { Costs } from "./simulate.ts";

/**
 * Cost of a purchase of 1 above the bar's price, and of a sale of 1 below it: slippage, and the
 * cost.
 */
interface Rates {
  readonly buySlippage: number;
  readonly sellSlippage: number;
  readonly buyCost: number;
  readonly sellCost: number;
}

const ratesOf = ({ costBps, slippageBps }: Costs): Rates => {
  const [cost, slippage] = [costBps / 10_000, slippageBps / 10_000];
  return {
    buySlippage: slippage,
    sellSlippage: slippage,
    buyCost: (1 + slippage) * cost,
    sellCost: (1 - slippage) * cost,
  };
};

/**
 * The portfolio after trading to the weights, and the cost of it; all in money. `traded` is
 * Σ|bought or sold|.
 */
export interface Rebalanced {
  readonly value: number;
  readonly traded: number;
  readonly costs: number;
  readonly slippage: number;
}

/** Each step of Newton's method settles the side (bought or sold) of at least one more asset. */
const maxSteps = (assets: number): number => 2 * assets + 10;

/** Money this near to each other, as a part of the whole, is the same. */
const SAME = 1e-15;

/**
 * Trades from `held` (money per asset at the bar's prices, plus `cash`) to `weights` that add up to
 * 1, paying for the trades out of the portfolio itself: its value after the trades, V, solves V + Σ
 * fees(wᵢ·V − heldᵢ) = Σ held + cash. The left side is convex and piecewise linear in V, so
 * Newton's method from above arrives after finitely many steps. A purchase of 1 takes (1 +
 * slippage)(1 + cost), a sale of 1 brings (1 − slippage)(1 − cost), as in `simulate`. Null when
 * nothing is left.
 */
export const afterCosts = (
  held: readonly number[],
  cash: number,
  weights: readonly number[],
  costs: Costs,
): Rebalanced | null => {
  const rates = ratesOf(costs);
  const [buyFee, sellFee] = [
    rates.buySlippage + rates.buyCost,
    rates.sellSlippage + rates.sellCost,
  ];
  const whole = held.reduce((sum, money) => sum + money, cash);
  if (!(whole > 0)) return null;
  let value = whole;
  for (let step = 0; step < maxSteps(held.length); step += 1) {
    let [fees, slope] = [0, 1];
    for (const [asset, weight] of weights.entries()) {
      const change = weight * value - (held[asset] ?? 0);
      fees += change > 0 ? change * buyFee : -change * sellFee;
      slope += change > 0 ? weight * buyFee : change < 0 ? -weight * sellFee : 0;
    }
    const excess = value + fees - whole;
    if (Math.abs(excess) <= SAME * whole) break;
    if (!(slope > 0)) return null;
    const next = value - excess / slope;
    if (!(next > 0)) return null;
    if (next >= value) break;
    value = next;
  }
  let [bought, sold] = [0, 0];
  for (const [asset, weight] of weights.entries()) {
    const change = weight * value - (held[asset] ?? 0);
    if (change > 0) bought += change;
    else sold -= change;
  }
  return {
    value,
    traded: bought + sold,
    costs: bought * rates.buyCost + sold * rates.sellCost,
    slippage: bought * rates.buySlippage + sold * rates.sellSlippage,
  };
};
