import type { Bar } from "../asset/bar.ts";
import { iso } from "../iso.ts";
import { done, type Outcome, refused } from "../outcome.ts";
import { RULES_ENGINE_VERSION } from "../recommendation/rules-engine.ts";
import { type Bootstrap, bootstrap, stepping } from "./bootstrap.ts";
import { type Control, controlOf, onShuffles, overHold } from "./control.ts";
import { returnsOf } from "./portfolio-statistics.ts";
import { randomFrom } from "./random.ts";
import { type BacktestRequest, MAX_DRAWS, MAX_WALKED, MIN_RETURNS } from "./request.ts";
import { buyAndHold, equityPoints, type OpenTrade, simulate, type Trade } from "./simulate.ts";
import { type BacktestStatistics, statisticsOf } from "./statistics.ts";
import { type Strategy, targetsOf } from "./strategy.ts";

/** Raise the last part when the same bars and request would get other numbers. */
export const BACKTEST_ENGINE = {
  engine: "rules",
  engineVersion: `${RULES_ENGINE_VERSION}/2`,
} as const;

/** Of more trades the newest are listed; all are counted. */
const MAX_TRADES = 100;

/** Fewer trades than this add a caveat. */
const FEW_TRADES = 30;

/** The bootstrap draws other numbers than the shuffles do. */
const OTHER_NUMBERS = 0x9e3779b9;

export interface BacktestInput {
  /** Oldest first, with prices of more than 0. */
  readonly bars: readonly Bar[];
  readonly strategy: Strategy;
  readonly periodsPerYear: number;
  readonly request: BacktestRequest;
}

/** Report of a strategy on one series. Instants are epoch ms. */
export interface BacktestReport {
  readonly periodsPerYear: number;
  readonly bars: number;
  readonly warmUpBars: number;
  /** The close at which the equity is 1, and the last one. */
  readonly from: number;
  readonly to: number;
  /** Price of the fills: the next bar's open or, where none is known, its close. */
  readonly fillsAt: "nextOpen" | "nextClose" | "mixed";
  readonly strategy: BacktestStatistics;
  readonly buyAndHold: BacktestStatistics;
  /** The strategy's final equity over that of buy-and-hold, less 1. */
  readonly overBuyAndHold: number;
  /** Null when no shuffle, or no resample, was requested. */
  readonly control: Control | null;
  readonly bootstrap: Bootstrap | null;
  /** The newest closed trades, the ones that the trade statistics count. */
  readonly trades: readonly Trade[];
  /**
   * The position that is still held at the end, at the last close; the equity and its statistics
   * include it.
   */
  readonly openTrade: OpenTrade | null;
  readonly lastClose: number;
  readonly caveats: readonly string[];
}

/** The reason why the bars allow no backtest; null when there is none. */
const problemWith = ({ bars, strategy }: BacktestInput) => {
  const needed = strategy.warmUp + MIN_RETURNS;
  if (bars.length < needed) {
    const detail = `There are ${bars.length} bars; ${strategy.warmUp} to warm up and ${MIN_RETURNS} to trade on are needed.`;
    return { code: "backtest.too_few_bars", detail };
  }
  const impossible = bars.find(({ open, close }) => !(close > 0 && (open === null || open > 0)));
  if (impossible === undefined) return null;
  const when = iso(impossible.timestamp);
  return {
    code: "backtest.unusable_price",
    detail: `The bar at ${when} has a price of 0 or less.`,
  };
};

const fillsAt = (bars: readonly Bar[]): BacktestReport["fillsAt"] => {
  const closeOnly = bars.filter(({ open }) => open === null).length;
  if (closeOnly === 0) return "nextOpen";
  return closeOnly === bars.length ? "nextClose" : "mixed";
};

const caveatsOf = (
  report: Omit<BacktestReport, "caveats">,
  { request }: BacktestInput,
): string[] => {
  const { strategy, control, bootstrap: drawn } = report;
  const caveats: string[] = [];
  if (report.fillsAt !== "nextOpen")
    caveats.push("Where a bar has no open, the fill is at that bar's close.");
  if (strategy.trades < FEW_TRADES)
    caveats.push(`Only ${strategy.trades} trades were closed: their rates are mostly random.`);
  if (strategy.openTrade)
    caveats.push("The last purchase was not sold; it is valued at the last close.");
  const shuffles = control?.shuffles ?? 0;
  if (shuffles < request.shuffles)
    caveats.push(
      `${shuffles} of ${request.shuffles} shuffles were made: a long series has time for no more.`,
    );
  const resamples = drawn?.resamples ?? 0;
  if (resamples < request.bootstraps)
    caveats.push(`${resamples} of ${request.bootstraps} resamples fit the time limit.`);
  return caveats;
};

/**
 * Backtests a strategy on a series and compares it with buy-and-hold at the same costs and with its
 * own returns shuffled, with bootstrapped intervals. Yields its progress, 0..1, after each shuffle.
 * Same input, same result, bit for bit. Refuses `backtest.too_few_bars` and `backtest.unusable_price`.
 */
export function* backtest(input: BacktestInput): Generator<number, Outcome<BacktestReport>> {
  const { bars, strategy, periodsPerYear, request } = input;
  const problem = problemWith(input);
  if (problem !== null) return refused(problem);
  const first = strategy.warmUp - 1;
  const run = simulate(bars, targetsOf(strategy, bars), first, request);
  const hold = buyAndHold(bars, first, request);
  const real = overHold(run, hold);

  const shuffles = Math.min(
    request.shuffles,
    Math.max(0, Math.floor(MAX_WALKED / bars.length) - 1),
  );
  const excesses: number[] = [];
  let tried = 0;
  for (const excess of onShuffles(bars, strategy, request, shuffles, randomFrom(request.seed))) {
    if (excess !== null) excesses.push(excess);
    tried += 1;
    yield tried / (shuffles + 1);
  }
  const returns = returnsOf({ equity: equityPoints(run) });
  const resamples = Math.min(request.bootstraps, Math.floor(MAX_DRAWS / returns.length));
  const other = randomFrom(request.seed ^ OTHER_NUMBERS);
  const traded = bars.slice(first + 1);
  const report = {
    periodsPerYear,
    bars: bars.length,
    warmUpBars: strategy.warmUp,
    from: bars[first]?.timestamp ?? 0,
    to: bars.at(-1)?.timestamp ?? 0,
    fillsAt: fillsAt(traded),
    strategy: statisticsOf(run, periodsPerYear),
    buyAndHold: statisticsOf(hold, periodsPerYear),
    overBuyAndHold: real,
    control: excesses.length === 0 ? null : controlOf(real, excesses, request.shuffles),
    bootstrap:
      resamples === 0
        ? null
        : yield* stepping(
            shuffles / (shuffles + 1),
            bootstrap(returns, periodsPerYear, resamples, other),
          ),
    trades: run.trades.slice(-MAX_TRADES),
    openTrade: run.open,
    lastClose: bars.at(-1)?.close ?? 0,
  };
  return done({ ...report, caveats: caveatsOf(report, input) });
}
