import type { JobRecord } from "../../domain/job/job.ts";
import type { Recorder } from "../../domain/metrics/registry.ts";
import type { EngineRecord } from "../../domain/recommendation/engine-record.ts";
import type { ModelAnswer } from "../../domain/recommendation/llm/answer.ts";
import type { ModelAudit } from "../../domain/recommendation/llm/audit.ts";
import type { FallbackReason } from "../../domain/recommendation/llm/fallback.ts";
import type { Prompt } from "../../domain/recommendation/llm/prompt.ts";
import type { ModelReply, Provider } from "../../domain/recommendation/llm/reply.ts";
import type { Variant } from "../../domain/recommendation/llm/variants.ts";
import type { Snapshot } from "../../domain/recommendation/snapshot.ts";
import type { Log } from "../../domain/trace/log-context.ts";

/** A variant whose model can be asked. */
export type ModelVariant = Extract<Variant, { engine: "llm" }> & { readonly provider: Provider };

/** One question to one model about one snapshot. */
export interface Question {
  /** SHA-256 of everything that decides the answer. */
  readonly id: string;
  readonly snapshot: Snapshot;
  readonly variant: ModelVariant;
  readonly job: JobRecord;
  /**
   * How answers of this engine and prompt have fared on this series. It decides how sure the answer
   * is, not the answer.
   */
  readonly record: EngineRecord | null;
}

/** How a question ended before: with an answer, or with one that nobody can use. */
export type SettledQuestion =
  | {
      readonly kind: "accepted";
      readonly answer: ModelAnswer;
      readonly modelId: string;
      readonly recommendationId: string;
    }
  | {
      readonly kind: "refused";
      readonly reason: FallbackReason;
      readonly recommendationId: string;
    };

/** Where questions, answers, audits and the day's tokens are kept, for all workers together. */
export interface ModelBook {
  /** Takes a question in hand. Of several who ask at once, one gets it. */
  claim(
    question: string,
    holder: string,
  ): Promise<
    { readonly kind: "mine" } | { readonly kind: "busy"; readonly until: number } | SettledQuestion
  >;
  /** False when the day has not so many tokens left. */
  reserve(tokens: number, at: number): Promise<boolean>;
  /**
   * One transaction: gives back what was reserved and not used, keeps the audit if there is one,
   * and settles the question or gives it up. False when the question was somebody else's by then.
   */
  finish(end: {
    readonly question: string;
    readonly holder: string;
    readonly settled: SettledQuestion | null;
    readonly audit: ModelAudit | null;
    /** Tokens beyond those reserved, for each reservation made. */
    readonly corrections: readonly { readonly at: number; readonly tokens: number }[];
  }): Promise<boolean>;
  lookUp(question: string): Promise<SettledQuestion | null>;
}

/** A reply, or that nobody was asked: the breaker is open, or the provider asked us to wait. */
export type ModelResponse =
  | ModelReply
  | { readonly kind: "unasked"; readonly reason: "breakerOpen" | "rateLimited" };

export interface ModelAdviceDeps {
  readonly book: ModelBook;
  /** Why a provider is not to be asked just now, or null. */
  readonly pausedBy: (provider: Provider) => "breakerOpen" | "rateLimited" | null;
  readonly ask: (
    question: Question,
    prompt: Prompt,
    repair: { readonly answer: string; readonly complaint: string } | null,
  ) => Promise<ModelResponse>;
  readonly hash: (text: string) => Promise<string>;
  readonly newId: () => string;
  readonly now: () => number;
  readonly maxOutputTokens: number;
  /** What must never be kept. */
  readonly secrets: readonly string[];
  readonly metrics: Recorder;
  readonly log: Log;
}
