import type { Config } from "../../config.ts";
import { nameProblem } from "../../delivery/resolve-name.ts";
import { endpointProblem } from "../../domain/delivery/endpoint-url.ts";
import { endpointStream } from "../../domain/events/envelope.ts";
import { writeAudit } from "../../records/operations/audit.ts";
import {
  cancelWaiting,
  disableEndpoints,
  stillEnabled,
} from "../../records/webhooks/delivery-records.ts";
import { type Fact, ownCause, recordFacts } from "../facts.ts";
import { type Platform, traced } from "../platform/platform.ts";

const CLOUDFLARE_RESOLVER = "https://cloudflare-dns.com/dns-query";

/** Why the name in an endpoint's URL may not be called, or null; see `nameProblem`. */
export function endpointNameProblem(
  { config, log }: Platform,
  url: string,
): Promise<string | null> {
  const { ENDPOINT_DNS_CHECK: said, ENVIRONMENT } = config;
  const standard = ENVIRONMENT === "local" ? null : CLOUDFLARE_RESOLVER;
  const resolver = said === "off" ? null : said === "auto" ? standard : said;
  return nameProblem(new URL(url).hostname, resolver, log);
}

/** An endpoint that we disable by ourselves, whatever for. */
export interface Disabling {
  readonly endpointId: string;
  readonly reason: string;
  /** The trace it was found out in. */
  readonly traceparent: string | null;
}

export const disabledFacts = (disablings: readonly Disabling[]): Fact[] =>
  disablings.map(({ endpointId, reason, traceparent }) => ({
    eventType: "EndpointDisabled",
    payload: { endpointId, reason },
    streamId: endpointStream(endpointId),
    cause: { ...ownCause(endpointId), ...traced(traceparent) },
  }));

/**
 * Why a URL cannot be an endpoint's, or null. The same rules hold when it is registered, enabled
 * and called: what was allowed then may not be now.
 */
export function endpointUrlProblem(
  config: Pick<Config, "WEBHOOK_ALLOW_LOOPBACK" | "PUBLIC_ORIGIN">,
  url: string,
): string | null {
  const parsed = URL.parse(url);
  if (parsed === null) return "it is not a URL";
  return endpointProblem(parsed, {
    allowLoopback: config.WEBHOOK_ALLOW_LOOPBACK,
    ownHosts: [new URL(config.PUBLIC_ORIGIN).hostname],
  });
}

/**
 * Disables endpoints and cancels what waits for them, with an event and an audit row for each that
 * was enabled until now. Announce `disabledFacts` when the batch is through.
 */
export function disable(
  p: Platform,
  disablings: readonly Disabling[],
  now: number,
): D1PreparedStatement[] {
  if (disablings.length === 0) return [];
  const { DB } = p.env;
  const rows = disablings.map(({ endpointId, reason, traceparent }) => ({
    endpointId,
    id: p.newId(),
    at: now,
    actor: "system",
    action: "webhook-endpoint.disabled",
    subject: endpointId,
    outcome: "done",
    detail: reason,
    traceparent,
  }));
  return [
    ...recordFacts(
      p,
      disabledFacts(disablings),
      now,
      stillEnabled("substr(fact.value ->> 'streamId', 10)"),
    ),
    writeAudit(
      DB,
      rows,
      `(SELECT one.value FROM json_each(?1) AS one WHERE ${stillEnabled("one.value ->> 'endpointId'")})`,
    ),
    disableEndpoints(DB, disablings, now),
    cancelWaiting(
      DB,
      disablings.map(({ endpointId }) => endpointId),
      now,
    ),
  ];
}
