import type { PricePoint } from "../analysis/performance.ts";
import type { Bar } from "../asset/bar.ts";
import type { Target } from "./strategy.ts";

/** Cost of every trade on each side, in basis points of its money, always against the trader. */
export interface Costs {
  readonly costBps: number;
  readonly slippageBps: number;
}

/**
 * Everything bought or sold at one price. `equity` is the equity after it, in units of the equity
 * at the start.
 */
export interface Fill {
  readonly timestamp: number;
  readonly side: "buy" | "sell";
  /** The bar's own price, before slippage. */
  readonly price: number;
  readonly at: "open" | "close";
  readonly equity: number;
}

/**
 * A purchase and its sale. `profit` is in units of the equity at the start, `return` a fraction of
 * the money put in.
 */
export interface Trade {
  readonly entry: Fill;
  readonly exit: Fill;
  readonly profit: number;
  readonly return: number;
}

/** A purchase that was not sold: its worth at the last close, without the costs of selling. */
export interface OpenTrade {
  readonly entry: Fill;
  readonly profit: number;
  readonly return: number;
}

/** Result of following the target positions on `bars`. */
export interface Run {
  readonly bars: readonly Bar[];
  readonly first: number;
  /** Starts at 1 at the close of bar `first`, with a value at every close after. */
  readonly equity: Float64Array;
  readonly fills: readonly Fill[];
  readonly trades: readonly Trade[];
  /** The purchase that was not sold again; it is valued at the last close. */
  readonly open: OpenTrade | null;
  /** Closes at which something was held. */
  readonly barsHeld: number;
  /** In units of the equity at the start. */
  readonly costs: number;
  readonly slippage: number;
}

/** Price of a fill: the open, or the close of a bar without an open. */
const fillPrice = ({ open, close }: Bar): number => open ?? close;

const fillAt = (bar: Bar, side: Fill["side"], equity: number): Fill => ({
  timestamp: bar.timestamp,
  price: fillPrice(bar),
  at: bar.open === null ? "close" : "open",
  side,
  equity,
});

interface Book {
  cash: number;
  units: number;
  costs: number;
  slippage: number;
}

/** All the cash buys units at price·(1 + slippage), the cost being added to their worth there. */
const buy = (book: Book, price: number, cost: number, slippage: number): void => {
  book.units = book.cash / (price * (1 + slippage) * (1 + cost));
  book.slippage += book.units * price * slippage;
  book.costs += book.units * price * (1 + slippage) * cost;
  book.cash = 0;
};

/** All units are sold at price·(1 − slippage), the cost being taken from the proceeds. */
const sell = (book: Book, price: number, cost: number, slippage: number): void => {
  book.slippage += book.units * price * slippage;
  book.costs += book.units * price * (1 - slippage) * cost;
  book.cash = book.units * price * (1 - slippage) * (1 - cost);
  book.units = 0;
};

/**
 * Follows the target positions from bar `first` on, all or nothing, long or flat: the target at a
 * bar's close is filled at the next bar's open (its close where the open is not known), and nothing
 * later than that target decides it. Cash bears no interest; a position that is held at the end is
 * valued at the last close, unsold. Prices are above 0.
 */
export const simulate = (
  bars: readonly Bar[],
  targets: readonly Target[],
  first: number,
  { costBps, slippageBps }: Costs,
): Run => {
  const [cost, slippage] = [costBps / 10_000, slippageBps / 10_000];
  const book: Book = { cash: 1, units: 0, costs: 0, slippage: 0 };
  const equity = new Float64Array(bars.length - first);
  equity[0] = 1;
  const fills: Fill[] = [];
  const trades: Trade[] = [];
  let open: Fill | null = null;
  let paid = 0;
  let barsHeld = 0;
  // A plain loop that allocates only fills: it runs over every bar of hundreds of shuffled series.
  for (let index = first + 1; index < bars.length; index += 1) {
    const bar = bars[index];
    if (bar === undefined) break;
    const target = targets[index - 1];
    if (target === "long" && open === null) {
      paid = book.cash;
      buy(book, fillPrice(bar), cost, slippage);
      open = fillAt(bar, "buy", book.units * fillPrice(bar));
      fills.push(open);
    } else if (target === "flat" && open !== null) {
      sell(book, fillPrice(bar), cost, slippage);
      const exit = fillAt(bar, "sell", book.cash);
      fills.push(exit);
      trades.push({ entry: open, exit, profit: book.cash - paid, return: book.cash / paid - 1 });
      open = null;
    }
    if (open !== null) barsHeld += 1;
    equity[index - first] = book.cash + book.units * bar.close;
  }
  const worth = equity.at(-1) ?? 1;
  const held =
    open === null ? null : { entry: open, profit: worth - paid, return: worth / paid - 1 };
  const { costs, slippage: slipped } = book;
  return { bars, first, equity, fills, trades, open: held, barsHeld, costs, slippage: slipped };
};

/** The equity with its instants. */
export const equityPoints = ({ bars, first, equity }: Run): PricePoint[] =>
  Array.from(equity, (close, index) => ({ timestamp: bars[first + index]?.timestamp ?? 0, close }));

/** Bought at the first fill there can be, and held. */
export const buyAndHold = (bars: readonly Bar[], first: number, costs: Costs): Run =>
  simulate(bars, new Array<Target>(bars.length).fill("long"), first, costs);
