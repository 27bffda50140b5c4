import type { Verdict } from "../../breaker/verdict.ts";
import type { ModelAnswer } from "./answer.ts";

export const PROVIDERS = ["workers-ai", "openai-compatible", "anthropic"] as const;
export type Provider = (typeof PROVIDERS)[number];

/** Tokens of one call; null where the provider does not tell. */
export interface Usage {
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
}

/** What came of one call of a language model. */
export type ModelReply =
  | {
      readonly kind: "answered";
      /** What it said, as it came. */
      readonly text: string;
      /** The same read by the schema, or why it cannot be. */
      readonly answer: ModelAnswer | null;
      readonly problem: string | null;
      readonly modelId: string;
      readonly finishReason: string;
      readonly usage: Usage;
    }
  | {
      readonly kind: "failed";
      readonly reason: "timeout" | "rateLimited" | "unavailable" | "malformed" | "rejected";
      readonly detail: string;
      readonly retryAfterSeconds: number | null;
    };

/**
 * What a reply says about the health of the service. An answer nobody can use is still an answer.
 */
export function verdictOfReply(reply: ModelReply, timeoutMs: number): Verdict {
  if (reply.kind === "answered") return { kind: "answered" };
  const { reason, detail, retryAfterSeconds } = reply;
  const code = `model_${reason}`;
  switch (reason) {
    case "timeout":
      return { kind: "timeout", detail, timeoutMs };
    case "rateLimited":
      return { kind: "rateLimited", detail, retryAfterSeconds };
    case "unavailable":
      return { kind: "unavailable", detail, code };
    case "malformed":
      return { kind: "malformed", detail, code };
    case "rejected":
      return { kind: "rejected", detail, code };
  }
}
