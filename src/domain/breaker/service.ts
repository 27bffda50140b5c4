/*
 * The names of external services: one breaker each. `source:<price source>`, `webhook:<endpoint id>`, and `alerts` for
 * the receiver of alert notifications.
 */

export const sourceService = (source: string): string => `source:${source}`;
export const webhookService = (endpointId: string): string => `webhook:${endpointId}`;
export const ALERTS_SERVICE = "alerts";

export type ServiceName =
  | { readonly kind: "source"; readonly source: string }
  | { readonly kind: "webhook"; readonly endpointId: string }
  | { readonly kind: "alerts" };

/** What a name means, or null when it is none of ours. */
export function readService(name: string): ServiceName | null {
  if (name === ALERTS_SERVICE) return { kind: "alerts" };
  const [, kind, id] = /^(source|webhook):(.+)$/.exec(name) ?? [];
  if (id === undefined) return null;
  return kind === "source" ? { kind: "source", source: id } : { kind: "webhook", endpointId: id };
}
