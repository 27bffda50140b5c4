import * as z from "zod";
import { INDICATOR_NAMES, type IndicatorName } from "../../domain/indicators/values.ts";
import { ASSET_TYPES } from "../../domain/market/asset-type.ts";
import { RESOLUTIONS } from "../../domain/market/resolution.ts";
import type { Problem } from "../../domain/outcome.ts";
import { METHODS } from "../../domain/portfolio/optimize.ts";
import { ACTIONS, type Evidence, RISK_LEVELS } from "../../domain/recommendation/recommendation.ts";

/**
 * An object of which a published version describes some fields only. The others pass unchecked: a
 * version never changes once receivers may hold it.
 */
export const described = <T extends object>(shape: { readonly [K in keyof T]?: z.ZodType<T[K]> }) =>
  z.looseObject(shape) as z.ZodType<unknown> as z.ZodType<T>;

export const instant = z.iso.datetime();
const price = z.number().nullable();
export const resolution = z.enum(RESOLUTIONS);

export const bar = z.object({
  timestamp: instant,
  open: price,
  high: price,
  low: price,
  close: z.number(),
  volume: price,
});

const shares = z.number().positive();
export const action = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("dividend"),
    exDate: z.iso.date(),
    amount: z.number().min(0),
    before: z.number().min(0).nullable(),
  }),
  z.object({
    type: z.literal("split"),
    exDate: z.iso.date(),
    numerator: shares,
    denominator: shares,
    before: z.object({ numerator: shares, denominator: shares }).nullable(),
  }),
]);

export const asset = z.object({
  symbol: z.string(),
  type: z.enum(ASSET_TYPES),
  currency: z.string(),
  calendar: z.string(),
  source: z.string(),
  live: z.boolean(),
  archived: z.boolean(),
});

export const parted = { part: z.number().int().min(1), parts: z.number().int().min(1) };

export const marketData = z.object({
  ...parted,
  symbol: z.string(),
  resolution,
  source: z.string(),
  scheduleId: z.string().nullable(),
  slot: instant.nullable(),
});

export const ingested = marketData.extend({ bars: z.array(bar) });

export const failure = z.object({
  jobId: z.string(),
  kind: z.string(),
  symbol: z.string(),
  attempts: z.number().int(),
  error: described<Problem>({ code: z.string(), detail: z.string() }),
});

export const trouble = z.object({
  service: z.string(),
  detail: z.string(),
  jobId: z.string().nullable(),
});

export const divergence = z.object({
  reconciliationId: z.string(),
  stream: z.string(),
  projection: z.string(),
  kind: z.enum(["missing", "stale", "ahead", "corrupted"]),
  logVersion: z.number().int(),
  readVersion: z.number().int(),
  detail: z.string(),
});

export const values = z.object(
  Object.fromEntries(INDICATOR_NAMES.map((name) => [name, price])) as Record<
    IndicatorName,
    typeof price
  >,
);

const share = z.number().min(0).max(1);
export const components = z.object({ trend: share, edge: share, risk: share, freshness: share });
export const recommendedOn = z.object({
  bars: z.number().int(),
  missing: z.number().int().nullable(),
  offCalendar: z.number().int().nullable(),
  outliers: z.number().int(),
  impossible: z.number().int(),
  unchanged: z.number().int(),
});

export const recommendation = {
  recommendationId: z.uuid(),
  symbol: z.string(),
  resolution,
  asOf: instant,
  close: z.number(),
  source: z.string(),
  action: z.enum(ACTIONS),
  confidence: z.number().min(0).max(1),
  baseRate: z.number().min(0).max(1),
  samples: z.number().int(),
  horizon: z.object({ bars: z.number().int(), resolution }),
  riskLevel: z.enum(RISK_LEVELS),
  summary: z.string(),
  reasoning: z.array(z.string()),
  assumptions: z.array(z.string()),
  caveats: z.array(z.string()),
  evidence: z.array(described<Evidence>({ id: z.string(), value: price })),
  engine: z.string(),
  engineVersion: z.string(),
  codeVersion: z.string(),
  snapshotHash: z.string().regex(/^[0-9a-f]{64}$/),
  basedOn: z.object({
    eventId: z.uuid(),
    version: z.number().int(),
    bars: z.object({ from: instant, to: instant, count: z.number().int() }),
  }),
};

const statistics = {
  expectedReturn: z.number(),
  volatility: z.number(),
  sharpe: z.number().nullable(),
};

const outOfSample = z.object({
  cagr: price,
  volatility: price,
  sharpe: price,
  maxDrawdown: price,
  turnover: price,
});

export const portfolioOptimized = z.object({
  portfolioId: z.uuid(),
  optimizationId: z.string(),
  resolution,
  method: z.enum(METHODS),
  target: z.number().nullable(),
  asOf: instant,
  dates: z.object({
    from: instant,
    to: instant,
    count: z.number().int(),
    returns: z.number().int(),
  }),
  weights: z.record(z.string(), z.number()),
  ...statistics,
  riskContributions: z.record(z.string(), z.number()).nullable(),
  projected: z.boolean(),
  equalWeight: z.object(statistics),
  outOfSample: z
    .object({
      from: instant,
      to: instant,
      returns: z.number().int(),
      method: outOfSample,
      equalWeight: outOfSample,
    })
    .nullable(),
  caveats: z.array(z.string()),
  engine: z.string(),
  engineVersion: z.string(),
  codeVersion: z.string(),
  snapshotHash: z.string().regex(/^[0-9a-f]{64}$/),
  notice: z.string(),
});
