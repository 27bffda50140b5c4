import { adviceOf, LLM_ENGINE_VERSION } from "../../domain/recommendation/llm/advice.ts";
import type { FallbackReason } from "../../domain/recommendation/llm/fallback.ts";
import type { Advice } from "../../domain/recommendation/rules-engine.ts";
import { Inquiry } from "./model-inquiry.ts";
import type { ModelAdviceDeps, Question, SettledQuestion } from "./model-question.ts";

/**
 * What a model came to: advice, why there is none, or that somebody else is asking this very
 * question.
 */
export type ModelAdvice =
  | {
      readonly kind: "advised";
      readonly advice: Advice;
      readonly modelId: string;
      readonly recommendationId: string;
    }
  | {
      readonly kind: "fallback";
      readonly reason: FallbackReason;
      readonly recommendationId: string | null;
    }
  | { readonly kind: "busy"; readonly afterSeconds: number };

export const MODEL_ENGINE_VERSION = LLM_ENGINE_VERSION;

/** Asks a question, unless it has its answer already. Only this and its one repair cost money. */
export async function modelAdvice(question: Question, deps: ModelAdviceDeps): Promise<ModelAdvice> {
  const paused = deps.pausedBy(question.variant.provider);
  if (paused !== null) {
    const known = await deps.book.lookUp(question.id);
    deps.metrics.count("model_answers_total", { outcome: known === null ? paused : "cached" });
    if (known !== null) return adviceFrom(known, question);
    return { kind: "fallback", reason: paused, recommendationId: null };
  }
  const holder = deps.newId();
  const claim = await deps.book.claim(question.id, holder);
  switch (claim.kind) {
    case "busy":
      return {
        kind: "busy",
        afterSeconds: Math.max(1, Math.ceil((claim.until - deps.now()) / 1000)),
      };
    case "mine": {
      const end = await new Inquiry(question, holder, deps).run();
      deps.metrics.count("model_answers_total", { outcome: end.reason ?? "accepted" });
      if (end.kind === "settled") return adviceFrom(end.settled, question);
      return { kind: "fallback", reason: end.reason, recommendationId: end.recommendationId };
    }
    default:
      deps.metrics.count("model_answers_total", { outcome: "cached" });
      return adviceFrom(claim, question);
  }
}

/** What a settled question means for its snapshot. */
export const adviceFrom = (
  settled: SettledQuestion,
  { snapshot, record }: Pick<Question, "snapshot" | "record">,
): ModelAdvice => {
  const { recommendationId } = settled;
  if (settled.kind === "refused")
    return { kind: "fallback", reason: settled.reason, recommendationId };
  const { answer, modelId } = settled;
  return { kind: "advised", advice: adviceOf(answer, snapshot, record), modelId, recommendationId };
};
