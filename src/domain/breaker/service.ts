/*
 * The names of external services: one breaker each. `source:<price source>`, `webhook:<endpoint id>`, and `alerts` for
 * the receiver of alert notifications. `llm:<provider>` for language models.
 */

export const sourceService = (source: string): string => `source:${source}`;
export const webhookService = (endpointId: string): string => `webhook:${endpointId}`;
export const modelService = (provider: string): string => `llm:${provider}`;
export const ALERTS_SERVICE = "alerts";

export type ServiceName =
  | { readonly kind: "source"; readonly source: string }
  | { readonly kind: "webhook"; readonly endpointId: string }
  | { readonly kind: "model"; readonly provider: string }
  | { readonly kind: "alerts" };

/** Parses a service name, or returns null when it is unknown. */
export function readService(name: string): ServiceName | null {
  if (name === ALERTS_SERVICE) return { kind: "alerts" };
  const [, kind, id] = /^(source|webhook|llm):(.+)$/.exec(name) ?? [];
  if (id === undefined) return null;
  if (kind === "llm") return { kind: "model", provider: id };
  return kind === "source" ? { kind: "source", source: id } : { kind: "webhook", endpointId: id };
}
