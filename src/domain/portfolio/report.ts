import { allocateShares, type ShareAllocation } from "./allocate-shares.ts";
import { assetCaveats, currenciesOf, type PricedAsset } from "./asset-caveats.ts";
import { datesPerAsset, windowsFor } from "./budget.ts";
import { type Coverage, coverageOf, whoIsInTheWay } from "./coverage.ts";
import { equalWeights } from "./heuristic-weights.ts";
import { type Moments, momentsOf } from "./moments.ts";
import { type OptimizedPortfolio, optimize, type Preferences } from "./optimize.ts";
import { type PortfolioStatistics, statisticsOf } from "./portfolio-figures.ts";
import { type Answer, answered, declined, type PortfolioRefusal } from "./portfolio-refusal.ts";
import { limitsIn, methodIn, type OptimizationRequest } from "./request.ts";
import { type AssetCloses, type ReturnTable, sharedReturns } from "./returns.ts";
import { type Transition, transitionBetween } from "./transition.ts";
import { FEW_RETURNS, usualStep, usualWindow } from "./usual-plan.ts";
import { type MissedRebalancing, type OutOfSample, walkForward } from "./walk-forward.ts";

/** Raise it when the same prices and request would get other numbers. */
export const PORTFOLIO_ENGINE = { engine: "mean-variance", engineVersion: "4" } as const;

/** Min returns that a walk-forward learns from. */
const MIN_TRAINING_RETURNS = 20;

/** A weight this near to 0 is the solver's rounding and no short position. */
const ROUNDING = 1e-9;

export interface OptimizationInput {
  /** In the order of the portfolio; each oldest first. */
  readonly assets: readonly PricedAsset[];
  readonly periodsPerYear: number;
  readonly request: OptimizationRequest;
}

/** Statistics of a strategy out of sample, without its every return. */
export type OutOfSampleStatistics = Omit<OutOfSample, "returns">;

/** The method and equal weight out of sample. Instants are epoch ms. */
interface WalkForwardReport {
  readonly from: number;
  readonly to: number;
  readonly returns: number;
  readonly window: number;
  /** As requested, or longer so that no more than the allowed number of windows is tried. */
  readonly step: number;
  readonly costBps: number;
  readonly rebalancings: number;
  readonly missed: readonly MissedRebalancing[];
  readonly method: OutOfSampleStatistics;
  readonly equalWeight: OutOfSampleStatistics;
}

/** A method's portfolio with its whole report. Instants are epoch ms. */
export interface OptimizationReport extends OptimizedPortfolio {
  readonly equalWeight: PortfolioStatistics;
  /** Null when there are too few returns for it; a caveat says so. */
  readonly outOfSample: WalkForwardReport | null;
  readonly transition: (Transition & { readonly value: number; readonly costBps: number }) | null;
  readonly allocation:
    | (ShareAllocation & {
        readonly prices: Readonly<Record<string, number>>;
        readonly currency: string;
      })
    | null;
  /** Number of returns that everything rests on, and the last date that all assets share. */
  readonly returns: number;
  readonly asOf: number;
  readonly periodsPerYear: number;
  readonly dataQuality: Coverage;
  readonly caveats: readonly string[];
}

/**
 * The report of a portfolio optimised by one method: its statistics, equal weight for comparison,
 * both out of sample, the transition and whole shares. The same input gives the same report, bit by
 * bit. Refuses as `optimize` and `sharedReturns` do, and whole shares of a portfolio with shorts or
 * several currencies (`invalidInput`).
 */
export const optimizationReport = (input: OptimizationInput): Answer<OptimizationReport> => {
  const { assets, periodsPerYear, request } = input;
  const shared = sharedReturns(assets);
  if (shared.kind === "refused") return withCoverage(shared.error, assets);
  const table = shared.value;
  const preferences: Preferences = {
    limits: limitsIn(request),
    riskFreeRate: request.riskFreeRate,
  };
  const moments = momentsOf(table, { ...request, periodsPerYear });
  const chosen = optimize(moments, methodIn(request), preferences);
  if (chosen.kind === "refused") return chosen;
  const allocation = sharesOf(input, table, chosen.value.weights);
  if (allocation.kind === "refused") return allocation;
  const dataQuality = coverageOf(assets);
  const outOfSample = triedOut(table, input);
  return answered({
    ...chosen.value,
    equalWeight: statisticsOf(moments, equalWeights(assets.length), request.riskFreeRate),
    outOfSample,
    transition: transitionOf(request, chosen.value.weights),
    allocation: allocation.value,
    returns: table.rows.length,
    asOf: table.timestamps.at(-1) ?? 0,
    periodsPerYear,
    dataQuality,
    caveats: caveatsOf(input, moments, table, outOfSample, chosen.value),
  });
};

/** Adds the coverage of the assets to a refusal for too few shared dates, the worst first. */
const withCoverage = (error: PortfolioRefusal, assets: readonly AssetCloses[]): Answer<never> => {
  if (error.code !== "tooFewReturns") return declined(error.code, error.detail, error);
  return declined(error.code, error.detail, { errors: whoIsInTheWay(coverageOf(assets)) });
};

const requestedStep = (
  { walkForward: { step } }: OptimizationRequest,
  periodsPerYear: number,
): number => step ?? usualStep(periodsPerYear);

const triedOut = (table: ReturnTable, { request, periodsPerYear }: OptimizationInput) => {
  const returns = table.rows.length;
  const window = request.walkForward.window ?? usualWindow(periodsPerYear, returns);
  if (window < MIN_TRAINING_RETURNS || returns <= window) return null;
  const step = Math.max(
    requestedStep(request, periodsPerYear),
    Math.ceil((returns - window) / windowsFor(table.symbols.length)),
  );
  const walked = walkForward(table, {
    method: methodIn(request),
    limits: limitsIn(request),
    riskFreeRate: request.riskFreeRate,
    expectedReturns: request.expectedReturns,
    riskModel: request.riskModel,
    periodsPerYear,
    window,
    step,
    costBps: request.costBps,
  });
  if (walked.kind === "refused") return null;
  const { timestamps, rebalancings, missed, method, equalWeight } = walked.value;
  return {
    from: timestamps[0] ?? 0,
    to: timestamps.at(-1) ?? 0,
    returns: timestamps.length,
    window,
    step,
    costBps: request.costBps,
    rebalancings,
    missed,
    method: withoutReturns(method),
    equalWeight: withoutReturns(equalWeight),
  };
};

const withoutReturns = ({ returns: _, ...statistics }: OutOfSample): OutOfSampleStatistics =>
  statistics;

const transitionOf = (
  { currentWeights, amount, costBps }: OptimizationRequest,
  weights: Readonly<Record<string, number>>,
): OptimizationReport["transition"] => {
  if (currentWeights === null) return null;
  const value = amount ?? 1;
  return { value, costBps, ...transitionBetween(currentWeights, weights, { value, costBps }) };
};

const sharesOf = (
  { assets, request }: OptimizationInput,
  table: ReturnTable,
  weights: Readonly<Record<string, number>>,
): Answer<OptimizationReport["allocation"]> => {
  if (request.amount === null) return answered(null);
  const currencies = currenciesOf(assets);
  const [currency] = currencies;
  if (currency === undefined || currencies.length > 1) {
    const detail = `Whole shares are counted in one currency; these assets have ${currencies.join(", ")}.`;
    return declined("invalidInput", detail);
  }
  const last = table.timestamps.at(-1);
  const wanted = assets.map(({ symbol, points }) => {
    const weight = weights[symbol] ?? 0;
    const price = points.findLast(({ timestamp }) => timestamp === last)?.close ?? 0;
    return { symbol, weight: Math.abs(weight) < ROUNDING ? 0 : weight, price };
  });
  const counted = allocateShares(wanted, request.amount);
  if (counted.kind === "refused") return counted;
  const prices = Object.fromEntries(wanted.map(({ symbol, price }) => [symbol, price]));
  return answered({ ...counted.value, prices, currency });
};

const caveatsOf = (
  { assets, request, periodsPerYear }: OptimizationInput,
  moments: Moments,
  { rows }: ReturnTable,
  outOfSample: WalkForwardReport | null,
  chosen: OptimizedPortfolio,
): string[] => {
  const caveats: string[] = [];
  if (rows.length < FEW_RETURNS)
    caveats.push(`Only ${rows.length} returns: the statistics are mostly random.`);
  if (rows.length <= moments.symbols.length) {
    caveats.push("There are no more returns than assets: their covariance is known in part only.");
  }
  if (outOfSample === null)
    caveats.push("There are too few returns to test the method out of sample.");
  else if (outOfSample.step > requestedStep(request, periodsPerYear)) {
    caveats.push(
      `The walk-forward chose weights every ${outOfSample.step} returns, to stay within its bound.`,
    );
  }
  if (chosen.projected)
    caveats.push("The method's own weights broke a limit; these are the nearest within.");
  return [...caveats, ...assetCaveats(assets, datesPerAsset(assets.length))];
};
