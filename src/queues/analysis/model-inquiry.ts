import type { ModelAnswer } from "../../domain/recommendation/llm/answer.ts";
import {
  kept,
  type ModelAudit,
  type ModelTry,
  tryOf,
} from "../../domain/recommendation/llm/audit.ts";
import { tokensFor, tokensOf } from "../../domain/recommendation/llm/budget.ts";
import {
  type CheckResult,
  checkAnswer,
  problemsOf,
  unreadable,
} from "../../domain/recommendation/llm/checks.ts";
import type { FallbackReason } from "../../domain/recommendation/llm/fallback.ts";
import { type Prompt, promptFor, repairText } from "../../domain/recommendation/llm/prompt.ts";
import type { ModelReply } from "../../domain/recommendation/llm/reply.ts";
import { riskIn } from "../../domain/recommendation/rules-engine.ts";
import type { Snapshot } from "../../domain/recommendation/snapshot.ts";
import type {
  ModelAdviceDeps,
  ModelResponse,
  Question,
  SettledQuestion,
} from "./model-question.ts";

/** How an inquiry ended: settled for good, or for now with why the rules answer instead. */
export type InquiryEnd =
  | {
      readonly kind: "settled";
      readonly settled: SettledQuestion;
      readonly reason: FallbackReason | null;
    }
  | {
      readonly kind: "open";
      readonly reason: FallbackReason;
      readonly recommendationId: string | null;
    };

interface Attempted {
  readonly asked: ModelResponse;
  readonly verdict: readonly CheckResult[];
}

/** One time a model is asked: the first try, at most one repair, and the end. */
export class Inquiry {
  readonly #question: Question;
  readonly #holder: string;
  readonly #deps: ModelAdviceDeps;
  readonly #startedAt: number;
  readonly #recommendationId: string;
  readonly #tries: ModelTry[] = [];
  readonly #corrections: { at: number; tokens: number }[] = [];
  #tokens = 0;

  constructor(question: Question, holder: string, deps: ModelAdviceDeps) {
    this.#question = question;
    this.#holder = holder;
    this.#deps = deps;
    this.#startedAt = deps.now();
    this.#recommendationId = deps.newId();
  }

  async run(): Promise<InquiryEnd> {
    const { snapshot, variant, id } = this.#question;
    const prompt = promptFor(variant.promptVersion, snapshot, riskIn(snapshot), id);
    const first = await this.#try(prompt, null);
    if (first === null) return this.#end(prompt, null, "budget");
    const accepted = answerOf(first);
    if (accepted !== null) return this.#end(prompt, accepted, null);
    if (first.asked.kind !== "answered") return this.#end(prompt, null, first.asked.reason);
    const complaint = repairText(problemsOf(first.verdict));
    const second = await this.#try(prompt, { answer: kept(first.asked.text), complaint });
    // Without tokens for a repair the first answer is what there is, and it was no good.
    if (second === null) return this.#end(prompt, null, "budget");
    const repaired = answerOf(second);
    if (repaired !== null) return this.#end(prompt, repaired, null);
    if (second.asked.kind !== "answered") return this.#end(prompt, null, second.asked.reason);
    return this.#end(prompt, null, second.asked.answer === null ? "unreadable" : "guardrail");
  }

  /** One call within the budget, looked at from every side; null when the budget is used up. */
  async #try(
    prompt: Prompt,
    repair: Parameters<ModelAdviceDeps["ask"]>[2],
  ): Promise<Attempted | null> {
    const { book, ask, now, maxOutputTokens, metrics, secrets } = this.#deps;
    const { snapshot, variant } = this.#question;
    const repairLength = repair === null ? "" : repair.answer + repair.complaint;
    const reserved = tokensFor(prompt, repairLength, maxOutputTokens);
    const at = now();
    if (!(await book.reserve(reserved, at))) return null;
    const asked = await ask(this.#question, prompt, repair);
    if (asked.kind === "unasked") {
      this.#corrections.push({ at, tokens: -reserved });
      return { asked, verdict: [] };
    }
    const used = tokensOf(asked, reserved);
    this.#corrections.push({ at, tokens: used - reserved });
    this.#tokens += used;
    const verdict = verdictOf(asked, snapshot, prompt.boundary);
    const latencyMs = Math.max(0, now() - at);
    this.#tries.push(tryOf(asked, verdict, latencyMs, secrets));
    const { provider } = variant;
    const outcome = asked.kind === "answered" ? "answered" : asked.reason;
    metrics.observe("model_call_duration_seconds", { provider, outcome }, latencyMs / 1000);
    if (asked.kind === "answered") {
      const { inputTokens, outputTokens } = asked.usage;
      metrics.count("model_tokens_total", { provider, kind: "input" }, inputTokens ?? 0);
      metrics.count("model_tokens_total", { provider, kind: "output" }, outputTokens ?? 0);
    }
    return { asked, verdict };
  }

  async #end(
    prompt: Prompt,
    answered: { readonly answer: ModelAnswer; readonly modelId: string } | null,
    reason: FallbackReason | null,
  ): Promise<InquiryEnd> {
    const { book, log } = this.#deps;
    const recommendationId = this.#recommendationId;
    const settled: SettledQuestion | null =
      answered !== null
        ? { kind: "accepted", ...answered, recommendationId }
        : reason === "unreadable" || reason === "guardrail"
          ? { kind: "refused", reason, recommendationId }
          : null;
    const audit =
      this.#tries.length === 0 ? null : await this.#audit(prompt, answered?.answer ?? null, reason);
    const { id, job, variant } = this.#question;
    const ours = await book.finish({
      question: id,
      holder: this.#holder,
      settled,
      audit,
      corrections: this.#corrections,
    });
    if (reason !== null) {
      const about = { asset: job.symbol, jobId: job.id, provider: variant.provider, reason };
      log({ level: "warn", message: "recommended by rules instead of a model", ...about });
    }
    // Whoever took over after our lease ran out has settled it first: theirs is the answer.
    const theirs = ours || settled === null ? null : await book.lookUp(id);
    if (theirs !== null) return { kind: "settled", settled: theirs, reason };
    if (settled !== null) return { kind: "settled", settled, reason };
    return {
      kind: "open",
      reason: reason ?? "unavailable",
      recommendationId: audit === null ? null : recommendationId,
    };
  }

  async #audit(
    prompt: Prompt,
    answer: ModelAnswer | null,
    reason: FallbackReason | null,
  ): Promise<ModelAudit> {
    const { newId, now, hash, secrets } = this.#deps;
    const { id, variant, job } = this.#question;
    const text = `${prompt.system}\n\n${prompt.user}`;
    const answeredAs = this.#tries.length > 1 ? "repaired" : "accepted";
    const failedAs = reason === "unreadable" || reason === "guardrail" ? "refused" : "failed";
    return {
      id: newId(),
      question: id,
      recommendationId: this.#recommendationId,
      jobId: job.id,
      symbol: job.symbol,
      variant: variant.name,
      provider: variant.provider,
      model: variant.model,
      promptVersion: variant.promptVersion,
      snapshotHash: id,
      promptHash: await hash(text),
      prompt: kept(text, secrets),
      tries: this.#tries,
      outcome: answer === null ? failedAs : answeredAs,
      reason,
      rawConfidence: answer?.confidence ?? null,
      tokens: this.#tokens,
      latencyMs: Math.max(0, now() - this.#startedAt),
      traceparent: job.traceparent ?? null,
      createdAt: now(),
    };
  }
}

const verdictOf = (
  reply: ModelReply,
  snapshot: Snapshot,
  boundary: string,
): readonly CheckResult[] => {
  if (reply.kind === "failed") return [];
  return reply.answer === null
    ? unreadable(reply.problem ?? "the answer could not be read")
    : checkAnswer(reply.answer, snapshot, boundary);
};

/** The answer of a try that passed every check. */
const answerOf = ({
  asked,
  verdict,
}: Attempted): { readonly answer: ModelAnswer; readonly modelId: string } | null => {
  if (asked.kind !== "answered" || asked.answer === null || problemsOf(verdict).length > 0)
    return null;
  return { answer: asked.answer, modelId: asked.modelId };
};
