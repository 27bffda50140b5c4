import * as z from "zod";
import { EVENT_TYPES, type EventType, type Payloads } from "../../domain/events/catalogue.ts";
import { FAULT_CLASSES } from "../../domain/job/error-codes.ts";
import { ASSET_TYPES } from "../../domain/market/asset-type.ts";
import type { Resolution } from "../../domain/market/resolution.ts";
import { LEFT_OUT_REASONS, type RankedResolution } from "../../domain/ranking/ranking.ts";
import { RECOMMENDATION_OUTCOMES } from "../../domain/recommendation/evaluation.ts";
import { ACTIONS, type RecommendationBody } from "../../domain/recommendation/recommendation.ts";
import {
  action,
  asset,
  bar,
  components,
  described,
  divergence,
  failure,
  ingested,
  instant,
  marketData,
  parted,
  portfolioOptimized,
  recommendation,
  recommendedOn,
  resolution,
  trouble,
  values,
} from "./payload-shapes.ts";

/** The payload (`data`) of each event type at its newest version. Older ones are below. */
export const PAYLOAD_SCHEMAS: { readonly [T in EventType]: z.ZodType<Payloads[T]> } = {
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
  RecommendationGenerated: described<RecommendationBody>({
    ...recommendation,
    variant: z.exactOptional(z.string()),
    provider: z.exactOptional(z.string()),
    modelId: z.exactOptional(z.string()),
    promptVersion: z.exactOptional(z.string()),
    rawConfidence: z.exactOptional(z.number().min(0).max(1)),
    dataQuality: z.exactOptional(recommendedOn),
    fallback: z.exactOptional(z.object({ from: z.string(), reason: z.string() })),
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
    rawConfidence: z.exactOptional(z.number().min(0).max(1)),
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
    promptVersion: z.exactOptional(z.string()),
    modelId: z.exactOptional(z.string()),
  }),
  OpportunitiesRanked: z.object({
    // The published version allows every resolution, and only some are ranked.
    resolution: resolution as z.ZodType<Resolution> as z.ZodType<RankedResolution>,
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
  RecommendationGenerated: { 1: z.looseObject(recommendation) },
};

/** The payload of a type at a version, or null when there never was one. */
export const schemaOf = (type: EventType, version: number): z.ZodType | null =>
  version === EVENT_TYPES[type].schemaVersion
    ? PAYLOAD_SCHEMAS[type]
    : (OLDER_SCHEMAS[type]?.[version] ?? null);
