import * as z from "zod";
import { iso, isoOrNull } from "../../domain/iso.ts";
import { RESOLUTIONS } from "../../domain/market/resolution.ts";
import { MAX_ASSETS, MIN_ASSETS } from "../../domain/portfolio/budget.ts";
import { limitsOf } from "../../domain/portfolio/limits.ts";
import { EXPECTED_RETURNS, RISK_MODELS } from "../../domain/portfolio/moments.ts";
import { METHODS } from "../../domain/portfolio/optimize.ts";
import {
  DEFAULT_REQUEST,
  limitsIn,
  type OptimizationRequest,
  type PortfolioChoice,
} from "../../domain/portfolio/request.ts";
import type { Portfolio } from "../../records/analysis/portfolio-records.ts";
import { ApiProblem } from "../http/problem.ts";
import { instantSchema, symbolSchema } from "../http/schemas.ts";

const weight = z.number().min(-100).max(100);
const rate = z.number().min(-1).max(10);

const side = { min: weight.optional(), max: weight.optional() };
const pair = z.tuple([weight, weight]).transform(([min, max]) => ({ min, max }));
const bound = z.union([pair, z.strictObject(side)]);

const fewEntries = (entries: Readonly<Record<string, unknown>>): boolean =>
  Object.keys(entries).length <= MAX_ASSETS;
const TOO_MANY = `at most ${MAX_ASSETS} assets`;

const bounds = z
  .union([
    pair.transform((both) => ({ ...both, assets: {} })),
    z.strictObject({
      min: weight.default(DEFAULT_REQUEST.bounds.min),
      max: weight.default(DEFAULT_REQUEST.bounds.max),
      assets: z.record(symbolSchema, bound).refine(fewEntries, TOO_MANY).default({}),
    }),
  ])
  .meta({
    description:
      "the least and the most each asset may weigh, as fractions: [0, 0.4], or {min, max, assets: {AAPL: {max: 0.1}}} with " +
      "exceptions; a negative least allows to go short. Long only unless said otherwise",
  });

const group = z
  .strictObject({
    name: z.string().min(1).max(50),
    symbols: z.array(symbolSchema).min(1).max(MAX_ASSETS),
    ...side,
  })
  .refine(({ min, max }) => min !== undefined || max !== undefined, "say min, max or both");

const walkForward = z
  .strictObject({
    window: z.number().int().min(20).max(5_000).nullable().default(null).meta({
      description:
        "returns to learn from; a year of the resolution, at least 60, or half of what there is, unless said",
    }),
    step: z
      .number()
      .int()
      .min(1)
      .max(5_000)
      .nullable()
      .default(null)
      .meta({
        description:
          "returns until weights are chosen anew; unless said a month of the resolution: 21 of 1d (30 where every day counts), 4 of 1w, " +
          "1 of 1mo, of shorter bars what the calendars have in a month. Longer where that would be too many windows",
      }),
  })
  .default(DEFAULT_REQUEST.walkForward);

const positive = z.number().positive().max(1e15);

/** How weights are chosen, in an optimisation as in a backtest. */
export const choiceFields = {
  method: z.enum(METHODS),
  target: z.number().min(-1).max(100).optional().meta({
    description:
      "the volatility (efficientRisk) or return (efficientReturn) to reach, a fraction per year",
  }),
  expectedReturns: z.enum(EXPECTED_RETURNS).default(DEFAULT_REQUEST.expectedReturns),
  riskModel: z.enum(RISK_MODELS).default(DEFAULT_REQUEST.riskModel),
  riskFreeRate: rate.default(DEFAULT_REQUEST.riskFreeRate),
  bounds: bounds.optional(),
  groups: z.array(group).max(50).default([]),
};

export const newOptimization = z
  .strictObject({
    ...choiceFields,
    from: instantSchema.optional(),
    to: instantSchema.optional(),
    walkForward,
    costBps: z.number().min(0).max(1_000).default(DEFAULT_REQUEST.costBps).meta({
      description: "what a trade costs, in basis points of its money",
    }),
    currentWeights: z.record(symbolSchema, weight).refine(fewEntries, TOO_MANY).optional().meta({
      description: "what is held now, fractions of the portfolio: the trades from there are told",
    }),
    amount: positive.optional().meta({
      description: "money for which whole shares at the last close are counted",
    }),
  })
  .meta({ id: "NewOptimization" });

export type NewOptimization = z.infer<typeof newOptimization>;

export const symbolsSchema = z
  .array(symbolSchema)
  .min(MIN_ASSETS)
  .max(MAX_ASSETS)
  .superRefine((list, context) => {
    for (const [index, symbol] of list.entries()) {
      if (list.indexOf(symbol) < index)
        context.addIssue({ code: "custom", path: [index], message: `${symbol} is named twice` });
    }
  });

const name = z.string().trim().min(1).max(100);
const optimization = newOptimization.optional().meta({
  description:
    "what an optimisation that nobody described is asked, as on a schedule; minVolatility unless said",
});

export const newPortfolio = z.strictObject({
  name,
  symbols: symbolsSchema,
  resolution: z.enum(RESOLUTIONS).default("1d"),
  optimization,
});

export const portfolioPatch = z
  .strictObject({
    name: name.optional(),
    symbols: symbolsSchema.optional(),
    resolution: z.enum(RESOLUTIONS).optional(),
    optimization,
  })
  .refine((patch) => Object.keys(patch).length > 0, "say at least one field to change");

/**
 * What is asked with every default filled in. Refuses what no portfolio of these assets can be
 * asked.
 */
export function requestOf(
  requested: NewOptimization,
  assets: readonly string[],
  at = "",
): OptimizationRequest {
  const { from, to, walkForward, costBps, currentWeights, amount, ...choice } = requested;
  const request: OptimizationRequest = {
    ...choiceOf(choice),
    ...{ walkForward, costBps },
    from: from ?? null,
    to: to ?? null,
    currentWeights: currentWeights ?? null,
    amount: amount ?? null,
  };
  refuseProblems([...choiceProblems(request, assets), ...moneyProblems(request)], at);
  return request;
}

const choice = z.object(choiceFields);

/** How weights are to be chosen, with every default filled in. */
export const choiceOf = ({
  target,
  bounds: limits,
  groups,
  ...plain
}: z.infer<typeof choice>): PortfolioChoice => ({
  ...plain,
  target: target ?? null,
  bounds:
    limits === undefined
      ? DEFAULT_REQUEST.bounds
      : { ...limits, assets: withoutGaps(limits.assets) },
  groups: groups.map(({ min, max, ...group }) => ({ ...group, ...sidesOf({ min, max }) })),
});

/** What no portfolio of these assets can be asked. */
export const choiceProblems = (
  request: RangedChoice,
  assets: readonly string[],
): FieldProblem[] => [...targetProblems(request), ...limitProblems(request, assets)];

interface RangedChoice extends PortfolioChoice {
  readonly from: number | null;
  readonly to: number | null;
}

/** Refuses the request when there are any, each field under the path `at`. */
export function refuseProblems(problems: readonly FieldProblem[], at = ""): void {
  if (problems.length === 0) return;
  const errors = problems.map((problem) => ({ ...problem, field: `${at}${problem.field}` }));
  const where = errors.map(({ field, reason }) => `${field}: ${reason}`).slice(0, 3);
  throw new ApiProblem("validation_failed", where.join("; "), errors);
}

interface Sides {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

const sidesOf = ({ min, max }: Sides) => ({
  ...(min === undefined ? {} : { min }),
  ...(max === undefined ? {} : { max }),
});

const withoutGaps = (assets: Readonly<Record<string, Sides>>) =>
  Object.fromEntries(Object.entries(assets).map(([symbol, sides]) => [symbol, sidesOf(sides)]));

export interface FieldProblem {
  readonly field: string;
  readonly reason: string;
}

function targetProblems({ method, target, from, to }: RangedChoice): FieldProblem[] {
  const targeted = method === "efficientRisk" || method === "efficientReturn";
  const problems: FieldProblem[] = [];
  if (targeted && target === null)
    problems.push({ field: "target", reason: `${method} needs a target` });
  if (!targeted && target !== null)
    problems.push({ field: "target", reason: `${method} takes no target` });
  if (method === "efficientRisk" && target !== null && target <= 0)
    problems.push({ field: "target", reason: "a volatility is more than 0" });
  if (from !== null && to !== null && from > to)
    problems.push({ field: "from", reason: "lies after to" });
  return problems;
}

/** Limits that are none. Whether they can be kept together is found out by the job. */
function limitProblems(request: PortfolioChoice, assets: readonly string[]): FieldProblem[] {
  const { min, max } = request.bounds;
  if (min > max)
    return [
      { field: "bounds.min", reason: `the minimum, ${min}, is more than the maximum, ${max}` },
    ];
  const read = limitsOf(assets, limitsIn(request));
  if (read.kind === "done") return [];
  return (read.error.errors ?? []).map(({ field, reason }) => ({
    field: field.startsWith("asset") ? `bounds.${field}` : field,
    reason,
  }));
}

function moneyProblems({
  bounds: limits,
  amount,
  currentWeights,
}: OptimizationRequest): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const shorts = [limits, ...Object.values(limits.assets)].some(({ min }) => (min ?? 0) < 0);
  if (amount !== null && shorts)
    problems.push({
      field: "amount",
      reason: "whole shares are counted for portfolios without shorts",
    });
  const held = Object.values(currentWeights ?? {}).reduce((sum, one) => sum + one, 0);
  if (held > 1 + 1e-6)
    problems.push({
      field: "currentWeights",
      reason: "weights add up to more than 1; the rest is cash",
    });
  return problems;
}

export const requestView = z.looseObject({ method: z.enum(METHODS) });

export const showRequest = (request: OptimizationRequest): z.infer<typeof requestView> => ({
  ...request,
  from: isoOrNull(request.from),
  to: isoOrNull(request.to),
});

export const portfolioView = z
  .object({
    id: z.string(),
    name: z.string(),
    symbols: z.array(z.string()),
    resolution: z.enum(RESOLUTIONS),
    optimization: requestView,
    createdAt: z.string(),
    updatedAt: z.string(),
  })
  .meta({ id: "Portfolio" });

export const showPortfolio = (portfolio: Portfolio): z.infer<typeof portfolioView> => ({
  id: portfolio.id,
  name: portfolio.name,
  symbols: [...portfolio.symbols],
  resolution: portfolio.resolution,
  optimization: showRequest(portfolio.optimization),
  createdAt: iso(portfolio.createdAt),
  updatedAt: iso(portfolio.updatedAt),
});
