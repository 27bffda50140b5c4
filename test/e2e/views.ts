/** Schemas of the API's answers: the fields that a client may rely on, checked at every read. */
import * as z from "zod";

const instant = z.iso.datetime();
const known = z.number().nullable();

export const assetView = z.object({
  symbol: z.string(),
  source: z.string(),
  live: z.boolean(),
  demo: z.boolean(),
  synthetic: z.boolean(),
  calendar: z.string(),
});

export const barView = z.object({
  timestamp: instant,
  open: known,
  high: known,
  low: known,
  close: z.number(),
  volume: known,
  source: z.string(),
});
export type BarAnswer = z.infer<typeof barView>;

const INDICATORS = [
  "sma20",
  "ema20",
  "rsi14",
  "macd",
  "macdSignal",
  "macdHistogram",
  "bbUpper",
  "bbMiddle",
  "bbLower",
  "atr14",
  "adx14",
  "cci20",
  "mfi14",
  "obv",
  "stochK",
  "stochD",
  "volatility30",
  "sharpe30",
] as const;
export type IndicatorName = (typeof INDICATORS)[number];

export const indicatorView = z.object({
  timestamp: instant,
  values: z.record(z.enum(INDICATORS), known),
});

export const recommendationView = z.object({
  id: z.uuid(),
  symbol: z.string(),
  resolution: z.string(),
  asOf: instant,
  action: z.enum(["BUY", "HOLD", "SELL"]),
  confidence: z.number().min(0).max(1),
  horizon: z.object({ bars: z.number(), resolution: z.string() }),
  riskLevel: z.enum(["LOW", "MEDIUM", "HIGH"]),
  summary: z.string().min(1),
  reasoning: z.array(z.string()).min(1),
  assumptions: z.array(z.string()),
  caveats: z.array(z.string()),
  evidence: z.array(z.object({ id: z.string() })).min(1),
  engine: z.string(),
  source: z.string(),
  synthetic: z.boolean(),
});

export const eventView = z.looseObject({
  eventId: z.uuid(),
  eventType: z.string(),
  streamId: z.string(),
  version: z.number().int().min(1),
  occurredAt: instant,
  routingKey: z.string(),
  jobId: z.string().nullable(),
  payload: z.looseObject({}),
});

const failure = z.looseObject({
  code: z.string(),
  detail: z.string(),
  errors: z
    .array(z.looseObject({ field: z.string(), reason: z.string(), row: z.number().optional() }))
    .optional(),
});

export const jobView = z.object({
  id: z.string(),
  kind: z.string(),
  state: z.enum(["scheduled", "queued", "running", "retrying", "succeeded", "failed", "cancelled"]),
  result: z.unknown(),
  error: failure.nullable(),
  attempts: z.array(z.looseObject({ number: z.number() })),
  finishedAt: instant.nullable(),
});
export type Job = z.infer<typeof jobView>;

export const endpointView = z.object({
  id: z.string(),
  url: z.string(),
  enabled: z.boolean(),
  disabledWhy: z.string().nullable(),
});

export const deliveryView = z.object({
  id: z.string(),
  eventId: z.string(),
  eventType: z.string(),
  state: z.enum(["pending", "sending", "retrying", "delivered", "failed"]),
  attempts: z.array(
    z.object({ number: z.number(), status: z.number().nullable(), error: z.string().nullable() }),
  ),
});

export const problemView = z.looseObject({
  type: z.string().min(1),
  title: z.string().min(1),
  status: z.number(),
  detail: z.string().min(1),
  code: z.string().min(1),
  requestId: z.string().min(1),
  errors: z
    .array(z.looseObject({ field: z.string(), reason: z.string(), row: z.number().optional() }))
    .optional(),
});
