import * as z from "zod";
import { EVENT_TYPES, type EventType } from "../../domain/events/catalogue.ts";
import { INDICATOR_NAMES } from "../../domain/indicators/values.ts";
import { FAULT_CLASSES } from "../../domain/job/error-codes.ts";
import { ASSET_TYPES } from "../../domain/market/asset-type.ts";
import { RESOLUTIONS } from "../../domain/market/resolution.ts";
import { METHODS } from "../../domain/portfolio/optimize.ts";
import { LEFT_OUT_REASONS } from "../../domain/ranking/ranking.ts";
import { RECOMMENDATION_OUTCOMES } from "../../domain/recommendation/evaluation.ts";
import { ACTIONS, RISK_LEVELS } from "../../domain/recommendation/recommendation.ts";

const instant = z.iso.datetime();
const price = z.number().nullable();
const resolution = z.enum(RESOLUTIONS);

const bar = z.object({
  timestamp: instant,
  open: price,
  high: price,
  low: price,
  close: z.number(),
  volume: price,
});

const shares = z.number().positive();
const action = z.discriminatedUnion("type", [
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

const asset = z.object({
  symbol: z.string(),
  type: z.enum(ASSET_TYPES),
  currency: z.string(),
  calendar: z.string(),
  source: z.string(),
  live: z.boolean(),
  archived: z.boolean(),
});

const parted = { part: z.number().int().min(1), parts: z.number().int().min(1) };

const marketData = z.object({
  ...parted,
  symbol: z.string(),
  resolution,
  source: z.string(),
  scheduleId: z.string().nullable(),
  slot: instant.nullable(),
});

const ingested = marketData.extend({ bars: z.array(bar) });

const failure = z.object({
  jobId: z.string(),
  kind: z.string(),
  symbol: z.string(),
  attempts: z.number().int(),
  error: z.looseObject({ code: z.string(), detail: z.string() }),
});

const trouble = z.object({ service: z.string(), detail: z.string(), jobId: z.string().nullable() });

const divergence = z.object({
  reconciliationId: z.string(),
  stream: z.string(),
  projection: z.string(),
  kind: z.enum(["missing", "stale", "ahead", "corrupted"]),
  logVersion: z.number().int(),
  readVersion: z.number().int(),
  detail: z.string(),
});

const values = z.object(
  Object.fromEntries(INDICATOR_NAMES.map((name) => [name, price])) as Record<string, typeof price>,
);

const share = z.number().min(0).max(1);
const components = z.object({ trend: share, edge: share, risk: share, freshness: share });
const recommendedOn = z.object({
  bars: z.number().int(),
  missing: z.number().int().nullable(),
  offCalendar: z.number().int().nullable(),
  outliers: z.number().int(),
  impossible: z.number().int(),
  unchanged: z.number().int(),
});

const recommendation = z.looseObject({
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
  evidence: z.array(z.looseObject({ id: z.string(), value: price })),
  engine: z.string(),
  engineVersion: z.string(),
  codeVersion: z.string(),
  snapshotHash: z.string().regex(/^[0-9a-f]{64}$/),
  basedOn: z.object({
    eventId: z.uuid(),
    version: z.number().int(),
    bars: z.object({ from: instant, to: instant, count: z.number().int() }),
  }),
});

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

const portfolioOptimized = z.object({
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

/** The payload (`data`) of each event type at its newest version. Older ones are below. */
export const PAYLOAD_SCHEMAS: Readonly<Record<EventType, z.ZodType>> = {
  AssetRegistered: asset,
  AssetUpdated: asset,
  MarketDataIngested: ingested.extend({ actions: z.array(action) }),
  MarketDataRevised: marketData.extend({
    revisions: z.array(z.object({ before: bar, after: bar })),
  }),
  IndicatorsComputed: z.object({
    ...parted,
    symbol: z.string(),
    resolution,
    codeVersion: z.string(),
    items: z.array(z.object({ timestamp: instant, values })),
  }),
  RecommendationGenerated: recommendation.extend({
    variant: z.string().optional(),
    provider: z.string().optional(),
    modelId: z.string().optional(),
    promptVersion: z.string().optional(),
    rawConfidence: z.number().min(0).max(1).optional(),
    dataQuality: recommendedOn.optional(),
    fallback: z.object({ from: z.string(), reason: z.string() }).optional(),
  }),
  PortfolioOptimized: portfolioOptimized,
  RecommendationResolved: z.object({
    recommendationId: z.uuid(),
    symbol: z.string(),
    assetType: z.enum(ASSET_TYPES),
    resolution,
    action: z.enum(ACTIONS),
    confidence: z.number().min(0).max(1),
    baseRate: z.number().min(0).max(1),
    rawConfidence: z.number().min(0).max(1).optional(),
    horizon: z.object({ bars: z.number().int(), resolution }),
    asOf: instant,
    close: z.number(),
    barVersion: z.number().int(),
    resolvedAt: instant,
    resolvedClose: z.number(),
    resolvedBarVersion: z.number().int(),
    revised: z.boolean(),
    horizonReturn: z.number().nullable(),
    expectedMove: z.number().nullable(),
    outcome: z.enum(RECOMMENDATION_OUTCOMES),
    voidReason: z.string().nullable(),
    independent: z.boolean(),
    engine: z.string(),
    engineVersion: z.string(),
    promptVersion: z.string().optional(),
    modelId: z.string().optional(),
  }),
  OpportunitiesRanked: z.object({
    resolution,
    asOf: instant,
    slot: instant.nullable(),
    rankingVersion: z.string(),
    weights: components,
    ranked: z.number().int(),
    partial: z.boolean(),
    leftOut: z.object({
      count: z.number().int(),
      reasons: z.record(z.enum(LEFT_OUT_REASONS), z.number().int()),
      assets: z.array(z.object({ symbol: z.string(), reason: z.enum(LEFT_OUT_REASONS) })),
    }),
    items: z.array(
      z.object({
        rank: z.number().int().min(1),
        change: z.number().int().nullable(),
        symbol: z.string(),
        assetType: z.enum(ASSET_TYPES),
        action: z.enum(ACTIONS),
        score: z.number().min(0).max(100),
        components,
        confidence: z.number().min(0).max(1),
        baseRate: z.number().min(0).max(1),
        recommendationId: z.uuid(),
        asOf: instant,
        close: z.number(),
        engine: z.string(),
      }),
    ),
  }),
  JobFailed: failure.extend({ faultClass: z.enum(FAULT_CLASSES) }),
  RetryExhausted: failure.extend({ faultClass: z.enum(FAULT_CLASSES) }),
  ExternalServiceTimeout: trouble.extend({ timeoutMs: z.number() }),
  RateLimitExceeded: trouble.extend({ retryAfterSeconds: z.number().nullable() }),
  IntegrationError: trouble.extend({ code: z.string() }),
  CircuitOpened: z.object({
    service: z.string(),
    reason: z.enum(["failures", "probe", "manual"]),
    failures: z.number().int(),
    openUntil: instant.nullable(),
    detail: z.string(),
  }),
  CircuitClosed: z.object({
    service: z.string(),
    reason: z.enum(["probe", "manual"]),
    detail: z.string(),
  }),
  ReadModelDiverged: divergence,
  ReadModelRepaired: divergence.extend({
    action: z.enum(["republish", "rebuild", "reset"]),
    proven: z.boolean(),
  }),
  EndpointDisabled: z.object({ endpointId: z.string(), reason: z.string() }),
};

/** Versions no longer written, still published: receivers keep events for long. */
export const OLDER_SCHEMAS: Readonly<
  Partial<Record<EventType, Readonly<Record<number, z.ZodType>>>>
> = {
  MarketDataIngested: { 1: ingested },
  JobFailed: { 1: failure },
  RetryExhausted: { 1: failure },
  RecommendationGenerated: { 1: recommendation },
};

/** The payload of a type at a version, or null when there never was one. */
export const schemaOf = (type: EventType, version: number): z.ZodType | null =>
  version === EVENT_TYPES[type].schemaVersion
    ? PAYLOAD_SCHEMAS[type]
    : (OLDER_SCHEMAS[type]?.[version] ?? null);
