/**
 * One order of a transition; `change` = `to` − `from`, all three fractions of the portfolio;
 * `value` is the money of it.
 */
interface Trade {
  readonly symbol: string;
  readonly from: number;
  readonly to: number;
  readonly change: number;
  readonly value: number;
}

/**
 * The trades from one allocation to another. `trades` by symbol, without those that change nothing.
 * `turnover` is ½Σ|change|: 1 means that the whole portfolio was exchanged. `cost` is money,
 * `costFraction` the same over the portfolio's value.
 */
export interface Transition {
  readonly trades: readonly Trade[];
  readonly turnover: number;
  readonly cost: number;
  readonly costFraction: number;
}

/** A change of weight below this is rounding and no order. */
const NO_TRADE = 1e-12;

/**
 * The trades from the weights `from` to the weights `to` (per symbol; a missing one weighs 0, and
 * the rest of a side up to 1 is cash) in a portfolio worth `value`. Every purchase and every sale
 * costs `costBps` basis points (1 = 0.01 %) of its money.
 */
export const transitionBetween = (
  from: Readonly<Record<string, number>>,
  to: Readonly<Record<string, number>>,
  { value, costBps }: { readonly value: number; readonly costBps: number },
): Transition => {
  const symbols = [...new Set([...Object.keys(from), ...Object.keys(to)])].toSorted((a, b) =>
    a < b ? -1 : 1,
  );
  const weightIn = (weights: Readonly<Record<string, number>>, symbol: string): number =>
    Object.hasOwn(weights, symbol) ? (weights[symbol] ?? 0) : 0;
  const trades = symbols
    .map((symbol): Trade => {
      const [before, after] = [weightIn(from, symbol), weightIn(to, symbol)];
      const change = after - before;
      return { symbol, from: before, to: after, change, value: change * value };
    })
    .filter(({ change }) => Math.abs(change) > NO_TRADE);
  const traded = trades.reduce((sum, { change }) => sum + Math.abs(change), 0);
  const costFraction = (traded * costBps) / 10_000;
  return { trades, turnover: traded / 2, cost: costFraction * value, costFraction };
};
