import type { NewEvent } from "../events/envelope.ts";
import { iso } from "../iso.ts";
import type { BreakerFact } from "./breaker.ts";

/** The public event of a fact, or none for an internal one. */
export function eventsOf(service: string, fact: BreakerFact, jobId: string | null): NewEvent[] {
  switch (fact.type) {
    case "failed":
    case "recovered":
    case "leased":
    case "tried":
    case "waited":
      return [];
    case "opened": {
      const { reason, failures, until, detail } = fact;
      const openUntil = until === null ? null : iso(until);
      return [
        { eventType: "CircuitOpened", payload: { service, reason, failures, openUntil, detail } },
      ];
    }
    case "closed": {
      const { reason, detail } = fact;
      return [{ eventType: "CircuitClosed", payload: { service, reason, detail } }];
    }
    case "troubled":
      return [troubleOf(service, fact, jobId)];
  }
}

function troubleOf(
  service: string,
  { verdict }: BreakerFact & { type: "troubled" },
  jobId: string | null,
): NewEvent {
  const about = { service, detail: verdict.detail, jobId };
  switch (verdict.kind) {
    case "timeout":
      return {
        eventType: "ExternalServiceTimeout",
        payload: { ...about, timeoutMs: verdict.timeoutMs },
      };
    case "rateLimited":
      return {
        eventType: "RateLimitExceeded",
        payload: { ...about, retryAfterSeconds: verdict.retryAfterSeconds },
      };
    case "rejected":
    case "unavailable":
    case "malformed":
      return { eventType: "IntegrationError", payload: { ...about, code: verdict.code } };
  }
}
