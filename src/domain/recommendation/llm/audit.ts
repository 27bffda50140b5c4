import type { CheckResult } from "./checks.ts";
import type { FallbackReason } from "./fallback.ts";
import type { ModelReply, Usage } from "./reply.ts";

/** Characters kept of a prompt and of each answer. */
const MAX_STORED = 32_000;

/**
 * One call as it is stored. Failures hold a status and our own words, never the endpoint's text.
 */
export interface ModelTry {
  readonly latencyMs: number;
  readonly response: string | null;
  readonly modelId: string | null;
  readonly finishReason: string | null;
  readonly usage: Usage;
  /** The result of every check; empty when there was no answer to check. */
  readonly verdict: readonly CheckResult[];
  readonly failure: { readonly reason: string; readonly detail: string } | null;
}

export const AUDIT_OUTCOMES = ["accepted", "repaired", "refused", "failed"] as const;
export type AuditOutcome = (typeof AUDIT_OUTCOMES)[number];

/** Audit of one request for a model's answer, with all its calls. */
export interface ModelAudit {
  readonly id: string;
  readonly question: string;
  readonly recommendationId: string;
  readonly jobId: string;
  readonly symbol: string;
  readonly variant: string;
  readonly provider: string;
  readonly model: string;
  readonly promptVersion: string;
  readonly snapshotHash: string;
  readonly promptHash: string;
  readonly prompt: string;
  readonly tries: readonly ModelTry[];
  readonly outcome: AuditOutcome;
  readonly reason: FallbackReason | null;
  readonly rawConfidence: number | null;
  /** Tokens that count against the day's budget. */
  readonly tokens: number;
  readonly latencyMs: number;
  readonly traceparent: string | null;
  /** Epoch ms. */
  readonly createdAt: number;
}

/** A text as far as it is kept, without `secrets`, and saying so when it goes on. */
export const kept = (text: string, secrets: readonly string[] = []): string => {
  const clean = secrets.reduce(
    (rest, secret) => (secret === "" ? rest : rest.replaceAll(secret, "***")),
    text,
  );
  return clean.length <= MAX_STORED
    ? clean
    : `${clean.slice(0, MAX_STORED)}… (${clean.length} characters)`;
};

export const tryOf = (
  reply: ModelReply,
  verdict: readonly CheckResult[],
  latencyMs: number,
  secrets: readonly string[],
): ModelTry => {
  if (reply.kind === "failed") {
    const { reason, detail } = reply;
    const usage = { inputTokens: null, outputTokens: null };
    return {
      latencyMs,
      response: null,
      modelId: null,
      finishReason: null,
      usage,
      verdict,
      failure: { reason, detail },
    };
  }
  const { text, modelId, finishReason, usage } = reply;
  return {
    latencyMs,
    response: kept(text, secrets),
    modelId: kept(modelId, secrets).slice(0, 200),
    finishReason,
    usage,
    verdict,
    failure: null,
  };
};
