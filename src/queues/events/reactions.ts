import { actionsOf } from "../../domain/asset/action-fact.ts";
import { webhookService } from "../../domain/breaker/service.ts";
import { type AnyEvent, breakerStream, endpointStream } from "../../domain/events/envelope.ts";
import { matchesPattern, routingKey } from "../../domain/events/routing-key.ts";
import { type JobRequest, jobId } from "../../domain/job/job.ts";
import type { Resolution } from "../../domain/market/resolution.ts";

/** Whether an event tells a split, new or otherwise than before. */
export const reportsSplit = (event: AnyEvent): boolean =>
  actionsOf(event).some(({ type }) => type === "split");

/**
 * The jobs an event asks for. A commit of several events asks once, with its last part; a split
 * asks at every resolution that its asset has bars in (`resolutions`), because all of them may
 * still show it.
 */
export function jobsRequestedBy(
  event: AnyEvent,
  resolutions: readonly Resolution[] = [],
): JobRequest[] {
  switch (event.eventType) {
    case "MarketDataIngested": {
      const { symbol, resolution, part, parts, bars } = event.payload;
      // A dividend changes no price that anything is computed from.
      const own = part === parts && (parts > 1 || bars.length > 0) ? [resolution] : [];
      const split = reportsSplit(event) ? resolutions.filter((one) => !own.includes(one)) : [];
      return [
        ...own.map((one) => derived("indicators", event, symbol, one)),
        ...split.map((one) =>
          derived("indicators", event, symbol, one, `v${event.version}:${one}`),
        ),
      ];
    }
    case "MarketDataRevised":
      return event.payload.part === event.payload.parts
        ? [derived("indicators", event, event.payload.symbol, event.payload.resolution)]
        : [];
    case "IndicatorsComputed":
      return event.payload.part === event.payload.parts
        ? [derived("recommendation", event, event.payload.symbol, event.payload.resolution)]
        : [];
    case "AssetRegistered":
    case "AssetUpdated":
    case "RecommendationGenerated":
    case "PortfolioOptimized":
    case "RecommendationResolved":
    case "OpportunitiesRanked":
    case "JobFailed":
    case "RetryExhausted":
    case "ExternalServiceTimeout":
    case "RateLimitExceeded":
    case "IntegrationError":
    case "CircuitOpened":
    case "CircuitClosed":
    case "ReadModelDiverged":
    case "ReadModelRepaired":
    case "EndpointDisabled":
      return [];
  }
}

const derived = (
  kind: "indicators" | "recommendation",
  event: AnyEvent,
  symbol: string,
  resolution: Resolution,
  slot = `v${event.version}`,
): JobRequest => ({
  id: jobId(kind, symbol, slot),
  kind,
  symbol,
  resolution,
  params: { mode: "derived" },
  slot: null,
  scheduleId: null,
  correlationId: event.correlationId,
  causationId: event.eventId,
  traceparent: event.traceparent ?? null,
  actor: "system",
});

export interface Subscription {
  readonly id: string;
  readonly patterns: readonly string[];
  /** Epoch ms. */
  readonly createdAt: number;
}

export interface DeliveryRequest {
  readonly endpointId: string;
  readonly eventId: string;
  readonly eventType: string;
  readonly traceparent?: string | null;
}

/** How far the clocks of an object and of the API may be apart. */
const CLOCKS_APART_MS = 60_000;

/**
 * Which endpoints an event goes to: those with at least one pattern that covers its routing key.
 * What occurred before an endpoint was registered is not for it, however late (as after a loss of
 * the read model) it is projected. Events about an endpoint and its breaker are not delivered to
 * that endpoint, or each would be another one it cannot take.
 */
export function deliveriesOf(
  event: AnyEvent,
  subscriptions: readonly Subscription[],
): DeliveryRequest[] {
  const key = routingKey(event.streamId, event.eventType);
  return subscriptions
    .filter(({ createdAt }) => Date.parse(event.occurredAt) > createdAt - CLOCKS_APART_MS)
    .filter(({ id }) => event.streamId !== breakerStream(webhookService(id)))
    .filter(({ id }) => event.streamId !== endpointStream(id))
    .filter(({ patterns }) => patterns.some((pattern) => matchesPattern(pattern, key)))
    .map(({ id }) => ({
      endpointId: id,
      eventId: event.eventId,
      eventType: event.eventType,
      traceparent: event.traceparent ?? null,
    }));
}
