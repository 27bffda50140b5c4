import type { Method } from "../portfolio/optimize.ts";
import type { PortfolioChoice } from "../portfolio/request.ts";
import { usualStep, usualWindow } from "../portfolio/usual-plan.ts";
import type { Costs } from "./simulate.ts";

/**
 * Request for a portfolio's backtest, every default filled in. Instants are epoch ms, both
 * included.
 */
export interface PortfolioBacktestRequest extends Costs, PortfolioChoice {
  readonly kind: "portfolio";
  /** Returns to learn from, and bars from one choice of weights to the next. */
  readonly lookback: number;
  readonly rebalanceEvery: number;
  readonly from: number | null;
  readonly to: number | null;
  readonly seed: number;
  readonly shuffles: number;
  readonly bootstraps: number;
}

/**
 * Max bars of one asset, and of all together; the newest count. Half of the bars of an
 * optimisation.
 */
const MAX_BARS_EACH = 5_000;
const MAX_BARS_TOGETHER = 125_000;

/** Max newest bars of each of so many assets: 5,000 up to 25 assets, 1,250 with 100. */
export const barsPerAsset = (assets: number): number =>
  Math.min(MAX_BARS_EACH, Math.floor(MAX_BARS_TOGETHER / Math.max(1, assets)));

/** A covariance of fewer returns is noise. */
export const MIN_LOOKBACK = 20;

type Plan = Pick<
  PortfolioBacktestRequest,
  "method" | "lookback" | "rebalanceEvery" | "bounds" | "groups"
>;

/**
 * Max duration of one choice by a method, in 0.06 ms, over the square of the assets. Measured up to
 * 100; as a rule it takes a third of it.
 */
const EFFORT: Readonly<Record<Method["method"], number>> = {
  efficientRisk: 0.1,
  efficientReturn: 0.08,
  maxSharpe: 0.08,
  minVolatility: 0.05,
  riskParity: 0.03,
  hrp: 0.03,
  inverseVolatility: 0.02,
  equalWeight: 0.02,
};

/** Methods that need the highest return within the limits. */
const RETURN_SEEKING_METHODS: readonly Method["method"][] = [
  "efficientRisk",
  "efficientReturn",
  "maxSharpe",
];

/**
 * Effort of every choice in the same unit, however few the assets; and the effort that each return
 * of an asset, or of a pair, adds.
 */
const BASE_EFFORT = 10;
const EFFORT_PER_RETURN = 1 / 400;
const EFFORT_PER_PRODUCT = 1 / 10_000;

/**
 * Effort that limits add for each pair of assets: to methods without limits the nearest feasible
 * weights, and groups to all.
 */
const EFFORT_OF_NEAREST = 0.03;
const EFFORT_OF_GROUPS = 0.03;

/**
 * Effort of the slow solver, for methods that read returns: groups that share assets, and fewer
 * returns than assets, when many portfolios have the same variance.
 */
const EFFORT_OF_SLOW_SOLVER = 0.6;

/** Effort of a whole backtest, its shuffles included, that a worker's CPU has time for. */
export const MAX_EFFORT = 150_000;

/** The effort of choosing weights once, its estimates included. */
export const effortOf = (
  { method, lookback, bounds, groups }: Omit<Plan, "rebalanceEvery">,
  assets: number,
): number => {
  const bounded = bounds.min > 0 || bounds.max < 1 || Object.keys(bounds.assets).length > 0;
  const seeksReturns = RETURN_SEEKING_METHODS.includes(method);
  const knowsLimits = seeksReturns || method === "minVolatility";
  const nearest = !knowsLimits && (bounded || groups.length > 0) ? EFFORT_OF_NEAREST : 0;
  const grouped = groups.length > 0 ? EFFORT_OF_GROUPS : 0;
  const members = groups.flatMap(({ symbols }) => symbols);
  const tangled = new Set(members).size < members.length || lookback <= assets;
  const slow = seeksReturns && tangled ? EFFORT_OF_SLOW_SOLVER : 0;
  const perPair = EFFORT[method] + nearest + grouped + slow + lookback * EFFORT_PER_PRODUCT;
  return (
    BASE_EFFORT + groups.length + assets * lookback * EFFORT_PER_RETURN + assets ** 2 * perPair
  );
};

/** Number of choices over so many shared dates: each choice has a later bar to be filled at. */
export const rebalancingsOver = (
  { lookback, rebalanceEvery }: Pick<PortfolioBacktestRequest, "lookback" | "rebalanceEvery">,
  dates: number,
): number => Math.max(0, Math.ceil((dates - 1 - lookback) / rebalanceEvery));

/**
 * Max choices of weights of so many assets within the time limit, and so the minimum of bars
 * between them.
 */
const timeFor = (plan: Omit<Plan, "rebalanceEvery">, assets: number, dates: number) => {
  const times = Math.floor(MAX_EFFORT / effortOf(plan, assets));
  return { times, every: Math.max(1, Math.ceil((dates - 1 - plan.lookback) / times)) };
};

/**
 * The default lookback and rebalancing, for a first asset with so many bars: as a walk-forward
 * learns and steps, and as rarely as the time limit demands. `periodsPerYear` as in
 * `indicators/periods-per-year.ts`.
 */
export const filledPlan = <P extends Omit<Plan, "lookback" | "rebalanceEvery">>(
  requested: P,
  said: { readonly lookback?: number | undefined; readonly rebalanceEvery?: number | undefined },
  { assets, bars, periodsPerYear }: { assets: number; bars: number; periodsPerYear: number },
): P & Plan => {
  const lookback = said.lookback ?? Math.max(MIN_LOOKBACK, usualWindow(periodsPerYear, bars - 1));
  const plan = { ...requested, lookback };
  const usual = () => Math.max(usualStep(periodsPerYear), timeFor(plan, assets, bars).every);
  return { ...plan, rebalanceEvery: said.rebalanceEvery ?? usual() };
};

/**
 * The reason why so many assets and dates exceed the time limit, with a request that fits; null
 * when they fit.
 */
export const tooMuchWork = (plan: Plan, assets: number, dates: number): string | null => {
  const rebalancings = rebalancingsOver(plan, dates);
  if (rebalancings * effortOf(plan, assets) <= MAX_EFFORT) return null;
  const { times, every } = timeFor(plan, assets, dates);
  return `weights of ${assets} assets by ${plan.method} can be chosen ${times} times, not ${rebalancings}: rebalance every ${every} bars or more`;
};

/** Shuffles that fit in the time limit after the real series. */
export const shufflesWithin = (
  request: PortfolioBacktestRequest,
  assets: number,
  dates: number,
): number => {
  const once = Math.max(1, rebalancingsOver(request, dates)) * effortOf(request, assets);
  return Math.min(request.shuffles, Math.max(0, Math.floor(MAX_EFFORT / once) - 1));
};
