import { iso } from "../iso.ts";
import { done, type Outcome, refused } from "../outcome.ts";
import { assetCaveats } from "../portfolio/asset-caveats.ts";
import { constraintsFor } from "../portfolio/conflicting-limits.ts";
import { type Coverage, coverageOf, whoIsInTheWay } from "../portfolio/coverage.ts";
import { equalWeights } from "../portfolio/heuristic-weights.ts";
import { type PortfolioRefusalCode, problemOf } from "../portfolio/portfolio-refusal.ts";
import { PORTFOLIO_ENGINE } from "../portfolio/report.ts";
import { limitsIn } from "../portfolio/request.ts";
import { stepping } from "./bootstrap.ts";
import { type Carried, carry, type Fulfilled } from "./carry.ts";
import { type Control, controlOf } from "./control.ts";
import { type PairedBootstrap, pairedBootstrap } from "./paired-bootstrap.ts";
import { choices, type Decision, targetsOf } from "./portfolio-choices.ts";
import {
  barsPerAsset,
  type PortfolioBacktestRequest,
  shufflesWithin,
  tooMuchWork,
} from "./portfolio-request.ts";
import {
  type PortfolioBacktestStatistics,
  portfolioStatistics,
  returnsOf,
} from "./portfolio-statistics.ts";
import { randomFrom } from "./random.ts";
import { MAX_DRAWS, MIN_RETURNS } from "./request.ts";
import { type SharedMoves, sharedMoves, type TestedSeries } from "./shared-moves.ts";
import { permuted } from "./shuffle.ts";

/** Raise the last part when the same bars and request would get other numbers. */
export const PORTFOLIO_BACKTEST_ENGINE = {
  engine: PORTFOLIO_ENGINE.engine,
  engineVersion: `${PORTFOLIO_ENGINE.engineVersion}/1`,
} as const;

/** The newest rebalancings are listed, up to this many weights; all are counted. */
const MAX_WEIGHTS_LISTED = 5_000;
const MAX_LISTED = 250;

/** Fewer rebalancings than this add a caveat. */
const FEW_REBALANCINGS = 12;

/** The bootstrap draws other numbers than the shuffles do. */
const OTHER_NUMBERS = 0x9e3779b9;

export interface PortfolioBacktestInput {
  readonly assets: readonly TestedSeries[];
  /** False where an open may come before another asset's close (see `opensComeAfterCloses`). */
  readonly atOpens: boolean;
  readonly periodsPerYear: number;
  readonly request: PortfolioBacktestRequest;
}

/** Weights decided at a close and filled in the next bar, or null with the reason. */
interface ReportedRebalancing {
  readonly decidedAt: number;
  readonly filledAt: number;
  readonly at: "open" | "close";
  readonly weights: Readonly<Record<string, number>> | null;
  readonly projected: boolean;
  /** ½Σ|traded|, and costs with slippage; parts of the equity. */
  readonly turnover: number | null;
  readonly costs: number | null;
  readonly missed: PortfolioRefusalCode | "unaffordable" | "ruined" | null;
}

/** Report of a method on a portfolio's past. Instants are epoch ms. */
export interface PortfolioBacktestReport {
  readonly periodsPerYear: number;
  /** Dates that all assets share. */
  readonly bars: number;
  /** The close at which the equity is 1, and the last one. */
  readonly from: number;
  readonly to: number;
  readonly fillsAt: "nextOpen" | "nextClose" | "mixed";
  readonly strategy: PortfolioBacktestStatistics;
  readonly equalWeight: PortfolioBacktestStatistics;
  /** The method's final equity over that of equal weight, less 1. */
  readonly overEqualWeight: number;
  readonly control: Control | null;
  readonly bootstrap: PairedBootstrap | null;
  readonly rebalancings: {
    readonly count: number;
    readonly missed: number;
    readonly projected: number;
    /** The newest, oldest first. */
    readonly newest: readonly ReportedRebalancing[];
  };
  readonly dataQuality: Coverage;
  readonly caveats: readonly string[];
}

const finalOf = ({ equity }: Carried): number => equity.at(-1)?.close ?? 1;
const over = (own: Carried, equal: Carried): number => finalOf(own) / finalOf(equal) - 1;

/** The moves, or the reason why these bars allow no backtest, with the assets concerned. */
const movesOf = ({ assets, atOpens, request }: PortfolioBacktestInput): Outcome<SharedMoves> => {
  const coverage = coverageOf(assets);
  const needed = request.lookback + 1 + MIN_RETURNS;
  if (coverage.shared < needed) {
    const detail = `The assets share ${coverage.shared} dates; ${request.lookback + 1} to learn from and ${MIN_RETURNS} to trade on are needed.`;
    return refused({ code: "backtest.too_few_bars", detail, errors: whoIsInTheWay(coverage) });
  }
  const tooMuch = tooMuchWork(request, assets.length, coverage.shared);
  if (tooMuch !== null) {
    const errors = [{ field: "rebalanceEvery", reason: tooMuch }];
    return refused({
      code: "backtest.too_much_work",
      detail: `This takes too much time: ${tooMuch}.`,
      errors,
    });
  }
  const symbols = assets.map(({ symbol }) => symbol);
  const limits = constraintsFor(symbols, limitsIn(request));
  return limits.kind === "refused"
    ? refused(problemOf(limits.error))
    : sharedMoves(assets, atOpens);
};

const fillsAt = (moves: SharedMoves["moves"]): PortfolioBacktestReport["fillsAt"] => {
  const closes = moves.filter(({ at }) => at === "close").length;
  if (closes === 0) return "nextOpen";
  return closes === moves.length ? "nextClose" : "mixed";
};

/**
 * The reason why everything was kept. A choice that was never filled came after everything was
 * lost.
 */
const missedBy = (
  chosen: Decision["chosen"],
  filled: Fulfilled | undefined,
): ReportedRebalancing["missed"] => {
  if (chosen.kind === "refused") return chosen.error.code;
  if (filled === undefined) return "ruined";
  return filled.unaffordable ? "unaffordable" : null;
};

const reportedRebalancings = (
  shared: SharedMoves,
  decisions: readonly Decision[],
  { fulfilled }: Carried,
) => {
  const { table, moves, start } = shared;
  const took = new Map(fulfilled.map((one) => [one.time, one]));
  const all = decisions.map(({ time, chosen }): ReportedRebalancing => {
    const filled = took.get(time);
    const { turnover = null, costs = null } = filled ?? {};
    const answered = chosen.kind === "done" && filled?.unaffordable === false ? chosen.value : null;
    return {
      decidedAt: table.timestamps[time - 1] ?? start,
      filledAt: table.timestamps[time] ?? 0,
      at: moves[time]?.at ?? "close",
      weights:
        answered === null
          ? null
          : Object.fromEntries(
              table.symbols.map((symbol, asset) => [symbol, answered.weights[asset] ?? 0]),
            ),
      projected: answered?.projected ?? false,
      ...{ turnover, costs },
      missed: missedBy(chosen, filled),
    };
  });
  const listed = Math.max(
    1,
    Math.min(MAX_LISTED, Math.floor(MAX_WEIGHTS_LISTED / table.symbols.length)),
  );
  return {
    count: all.length,
    missed: all.filter(({ missed }) => missed !== null).length,
    projected: all.filter(({ projected }) => projected).length,
    newest: all.slice(-listed),
  };
};

const caveatsOf = (
  report: Omit<PortfolioBacktestReport, "caveats">,
  { assets, atOpens, request }: PortfolioBacktestInput,
  ruinedAt: number | null,
): string[] => {
  const { rebalancings, control, bootstrap } = report;
  const { count, missed, projected } = rebalancings;
  const caveats: string[] = [];
  if (!atOpens)
    caveats.push("FX opens before CRYPTO closes its day: everything is filled at the next close.");
  else if (report.fillsAt !== "nextOpen")
    caveats.push("Where the open of one asset is not known, all are filled at that bar's close.");
  if (count < FEW_REBALANCINGS)
    caveats.push(`Only ${count} rebalancings: the statistics are mostly random.`);
  if (missed > 0)
    caveats.push(
      `At ${missed} of ${count} rebalancings the method had no solution: the holdings were kept.`,
    );
  if (missed === count) caveats.push("Nothing was ever bought.");
  if (projected > 0)
    caveats.push(
      `At ${projected} rebalancings the method's own weights broke a limit; the nearest feasible ones were used.`,
    );
  if (ruinedAt !== null) caveats.push(`Everything was lost on ${iso(ruinedAt)}.`);
  if (request.bounds.min < 0 || Object.values(request.bounds.assets).some(({ min = 0 }) => min < 0))
    caveats.push("Short sales pay no borrowing fee here.");
  const shuffles = control?.shuffles ?? 0;
  if (shuffles < request.shuffles)
    caveats.push(`${shuffles} of ${request.shuffles} shuffles fit the time limit.`);
  const resamples = bootstrap?.resamples ?? 0;
  if (resamples < request.bootstraps)
    caveats.push(`${resamples} of ${request.bootstraps} resamples fit the time limit.`);
  return [...caveats, ...assetCaveats(assets, barsPerAsset(assets.length))];
};

/** The moves in another order, the same for all assets: correlation stays, serial order goes. */
const inAnotherOrder = (shared: SharedMoves, order: readonly number[]): SharedMoves => ({
  start: shared.start,
  moves: order.flatMap((time) => shared.moves[time] ?? []),
  table: { ...shared.table, rows: order.flatMap((time) => [shared.table.rows[time] ?? []]) },
});

const bySymbol = (one: { readonly symbol: string }, other: { readonly symbol: string }): number =>
  one.symbol < other.symbol ? -1 : 1;

/**
 * Backtests a method on the dates its assets share: weights are chosen from the `lookback` returns
 * up to a close and filled in the next bar, every `rebalanceEvery` bars; they drift in between.
 * Compares it with equal weight, rebalanced and charged on the same bars, by their difference with
 * an interval, and with itself on moves in random orders, the same for all assets. Where the method
 * has no solution, everything is kept (cash, if nothing was bought yet) and counted.
 *
 * Yields its progress, 0..1. Same input, same result, bit for bit, in any order of the assets.
 * Refuses `backtest.too_few_bars`, `backtest.too_much_work`, `backtest.unusable_price`, and like
 * `sharedReturns` and contradicting limits (`portfolio_…`).
 */
export function* portfolioBacktest(
  input: PortfolioBacktestInput,
): Generator<number, Outcome<PortfolioBacktestReport>> {
  const { periodsPerYear, request } = input;
  const assets = input.assets.toSorted(bySymbol);
  const read = movesOf({ ...input, assets });
  if (read.kind !== "done") return read;
  const shared = read.value;
  const { lookback } = request;
  const dates = shared.moves.length + 1;
  const shuffles = shufflesWithin(request, assets.length, dates);
  const walk = function* (series: SharedMoves, before: number) {
    const decisions: Decision[] = [];
    const chosen = choices(series.table, { ...request, periodsPerYear });
    for (const decision of chosen.decisions()) {
      decisions.push(decision);
      yield (before + decisions.length / chosen.count) / (shuffles + 1);
    }
    const equal = decisions.map(({ time }) => ({ time, weights: equalWeights(assets.length) }));
    return {
      decisions,
      own: carry(series, targetsOf(decisions), lookback, request),
      equal: carry(series, equal, lookback, request),
    };
  };
  const { decisions, own, equal } = yield* walk(shared, 0);
  const real = over(own, equal);
  if (!Number.isFinite(real)) {
    const detail = "The returns overflow: check the prices.";
    return refused({ code: "backtest.unusable_price", detail });
  }

  const random = randomFrom(request.seed);
  const order = shared.moves.map((_, time) => time);
  const excesses: number[] = [];
  for (let count = 0; count < shuffles; count += 1) {
    const mixed = yield* walk(inAnotherOrder(shared, permuted(order, random)), count + 1);
    const excess = over(mixed.own, mixed.equal);
    if (Number.isFinite(excess)) excesses.push(excess);
  }
  const returns = returnsOf(own);
  const resamples = Math.min(request.bootstraps, Math.floor(MAX_DRAWS / 2 / returns.length));
  const other = randomFrom(request.seed ^ OTHER_NUMBERS);
  const market = { periodsPerYear, riskFreeRate: request.riskFreeRate };
  const report = {
    periodsPerYear,
    bars: dates,
    from: shared.table.timestamps[lookback - 1] ?? 0,
    to: shared.table.timestamps.at(-1) ?? 0,
    fillsAt: fillsAt(shared.moves.slice(lookback)),
    strategy: portfolioStatistics(own, periodsPerYear, request.riskFreeRate),
    equalWeight: portfolioStatistics(equal, periodsPerYear, request.riskFreeRate),
    overEqualWeight: real,
    control: excesses.length === 0 ? null : controlOf(real, excesses, request.shuffles),
    bootstrap:
      resamples === 0
        ? null
        : yield* stepping(
            shuffles / (shuffles + 1),
            pairedBootstrap(returns, returnsOf(equal), market, resamples, other),
          ),
    rebalancings: reportedRebalancings(shared, decisions, own),
    dataQuality: coverageOf(assets),
  };
  return done({ ...report, caveats: caveatsOf(report, { ...input, assets }, own.ruinedAt) });
}
