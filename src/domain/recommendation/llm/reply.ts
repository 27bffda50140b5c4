import type { Verdict } from "../../breaker/verdict.ts";
import type { ModelAnswer } from "./answer.ts";

export const PROVIDERS = ["workers-ai", "openai-compatible", "anthropic"] as const;
export type Provider = (typeof PROVIDERS)[number];

/** Tokens of one call; null where the provider does not report them. */
export interface Usage {
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
}

/** Result of one call of a language model. */
export type ModelReply =
  | {
      readonly kind: "answered";
      /** The raw text. */
      readonly text: string;
      /** The text parsed by the schema, or the reason why it cannot be. */
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

/** Meaning of a reply for the health of the service. A useless answer is still an answer. */
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
