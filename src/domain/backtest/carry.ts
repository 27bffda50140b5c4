import type { PricePoint } from "../analysis/performance.ts";
import { afterCosts } from "./after-costs.ts";
import type { SharedMoves } from "./shared-moves.ts";
import type { Costs } from "./simulate.ts";

/**
 * Target weights chosen at the close before `time` (an index of the moves), to be filled in that
 * move; null keeps the holdings.
 */
export interface Target {
  readonly time: number;
  readonly weights: readonly number[] | null;
}

/** Trades of one target, as parts of the equity at its fill. Null where nothing was traded. */
export interface Fulfilled {
  readonly time: number;
  /** ½Σ|bought or sold|. */
  readonly turnover: number | null;
  readonly costs: number | null;
  /** True if the target was too expensive, so that everything was kept. */
  readonly unaffordable: boolean;
}

/**
 * Result of following the targets. The equity starts at 1, in cash, with a value at every close
 * after.
 */
export interface Carried {
  readonly equity: readonly PricePoint[];
  readonly fulfilled: readonly Fulfilled[];
  /** Σ of the turnovers, each ½Σ|bought or sold| over the equity. */
  readonly turnover: number;
  /** In units of the equity at the start. */
  readonly costs: number;
  readonly slippage: number;
  /** When shorts or leverage had lost everything: the equity is 0 from there on. Epoch ms. */
  readonly ruinedAt: number | null;
}

/**
 * Carries a portfolio through the moves from `first` on. A target is filled at its move's prices,
 * out of the portfolio's worth there; between targets the weights drift with the prices. Nothing
 * later than a target decides it. Targets are in the order of time. Cash bears no interest, shorts
 * pay none.
 */
export const carry = (
  { table, moves, start }: SharedMoves,
  targets: readonly Target[],
  first: number,
  costs: Costs,
): Carried => {
  let held: readonly number[] = table.symbols.map(() => 0);
  let cash = 1;
  const sums = { turnover: 0, costs: 0, slippage: 0 };
  const equity: PricePoint[] = [{ timestamp: table.timestamps[first - 1] ?? start, close: 1 }];
  const fulfilled: Fulfilled[] = [];
  let ruinedAt: number | null = null;
  let next = 0;
  for (let time = first; time < moves.length; time += 1) {
    const { fill = [], close = [] } = moves[time] ?? {};
    const timestamp = table.timestamps[time] ?? 0;
    let since = close;
    const target = targets[next];
    if (target?.time === time) {
      next += 1;
      if (target.weights !== null && ruinedAt === null) {
        const before = held.map((money, asset) => money * (fill[asset] ?? 1));
        const whole = before.reduce((sum, money) => sum + money, cash);
        const traded = afterCosts(before, cash, target.weights, costs);
        fulfilled.push(tellOf(time, traded, whole));
        if (traded !== null) {
          held = target.weights.map((weight) => weight * traded.value);
          cash = held.reduce((left, money) => left - money, traded.value);
          sums.turnover += traded.traded / 2 / whole;
          sums.costs += traded.costs;
          sums.slippage += traded.slippage;
          since = close.map((ratio, asset) => ratio / (fill[asset] ?? 1));
        }
      }
    }
    held = held.map((money, asset) => money * (since[asset] ?? 1));
    const worth = held.reduce((sum, money) => sum + money, cash);
    if (worth <= 0) {
      ruinedAt ??= timestamp;
      held = held.map(() => 0);
      cash = 0;
    }
    equity.push({ timestamp, close: Math.max(0, worth) });
  }
  return { equity, fulfilled, ...sums, ruinedAt };
};

const tellOf = (time: number, traded: ReturnType<typeof afterCosts>, whole: number): Fulfilled =>
  traded === null
    ? { time, turnover: null, costs: null, unaffordable: true }
    : {
        time,
        turnover: traded.traded / 2 / whole,
        costs: (traded.costs + traded.slippage) / whole,
        unaffordable: false,
      };
