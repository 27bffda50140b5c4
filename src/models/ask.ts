import {
  APICallError,
  generateText,
  type LanguageModelUsage,
  type ModelMessage,
  NoObjectGeneratedError,
  NoOutputGeneratedError,
  Output,
} from "ai";
import { retryAfterSeconds } from "../domain/delivery/retry-after.ts";
import type { ModelAnswer } from "../domain/recommendation/llm/answer.ts";
import type { Prompt } from "../domain/recommendation/llm/prompt.ts";
import type { ModelReply, Usage } from "../domain/recommendation/llm/reply.ts";
import { inTime, TimedOut } from "../timeout.ts";
import { answerSchema, formProblem } from "./answer-schema.ts";
import { boundedFetch } from "./bounded-fetch.ts";
import { type ModelEndpoint, modelAt } from "./providers.ts";

export interface AskOptions {
  readonly fetch: typeof globalThis.fetch;
  readonly timeoutMs: number;
  readonly maxOutputTokens: number;
  /** Epoch ms, for a wait given as a date. */
  readonly now: number;
}

/** A second try sends the model its first answer with the problems found in it. */
export interface Repair {
  readonly answer: string;
  readonly complaint: string;
}

/** A binding that ignores the signal is abandoned this much later. */
const SIGNAL_SLACK_MS = 500;

// The SDK writes its warnings to the console, with pieces of the call: our log is one JSON line for
// everything.
Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false });

/**
 * Asks once: no retry of its own, one time limit for all of it. Never rejects: every error is a
 * reply. Error bodies are not repeated, for they may hold a piece of the key.
 */
export async function askModel(
  place: ModelEndpoint,
  prompt: Prompt,
  repair: Repair | null,
  { fetch, timeoutMs, maxOutputTokens, now }: AskOptions,
): Promise<ModelReply> {
  const signal = AbortSignal.timeout(timeoutMs);
  let tooLarge = false;
  const model = boundedFetch(fetch, () => {
    tooLarge = true;
  });
  try {
    const called = generateText({
      model: modelAt(place, model),
      system: prompt.system,
      messages: messagesOf(prompt, repair),
      output: Output.object({ schema: answerSchema, name: "recommendation" }),
      maxRetries: 0,
      maxOutputTokens,
      temperature: 0,
      abortSignal: signal,
    });
    const result = await inTime(called, timeoutMs + SIGNAL_SLACK_MS, "the language model");
    return answered(
      result.text,
      outputOf(result),
      result.finishReason,
      result.response.modelId,
      result.usage,
    );
  } catch (error) {
    if (NoObjectGeneratedError.isInstance(error)) {
      const { text = "", finishReason = "unknown", response, usage } = error;
      return answered(text, null, finishReason, response?.modelId ?? place.model, usage);
    }
    if (signal.aborted || error instanceof TimedOut) {
      return failed("timeout", `the language model did not answer within ${timeoutMs} ms`);
    }
    if (tooLarge) return failed("malformed", "the answer is larger than any answer of a model");
    return failureOf(error, now);
  }
}

const messagesOf = ({ user }: Prompt, repair: Repair | null): ModelMessage[] => [
  { role: "user", content: user },
  ...(repair === null
    ? []
    : [
        // Some endpoints refuse an empty message.
        {
          role: "assistant" as const,
          content: repair.answer.trim() === "" ? "(nothing)" : repair.answer,
        },
        { role: "user" as const, content: repair.complaint },
      ]),
];

/** An answer that was cut off or refused has no output, and asking for it throws. */
function outputOf(result: { readonly output: ModelAnswer }): ModelAnswer | null {
  try {
    return result.output;
  } catch (error) {
    if (NoOutputGeneratedError.isInstance(error)) return null;
    throw error;
  }
}

function answered(
  text: string,
  answer: ModelAnswer | null,
  finishReason: string,
  modelId: string,
  usage: LanguageModelUsage | undefined,
): ModelReply {
  const problem = answer === null ? problemOf(text, finishReason) : null;
  return { kind: "answered", text, answer, problem, modelId, finishReason, usage: usageOf(usage) };
}

function problemOf(text: string, finishReason: string): string {
  if (finishReason === "length")
    return "the answer was cut off at the most it may have: be shorter";
  if (finishReason === "content-filter") return "the answer was withheld by the provider's filter";
  return formProblem(text);
}

const usageOf = (usage: LanguageModelUsage | undefined): Usage => ({
  inputTokens: countOf(usage?.inputTokens),
  outputTokens: countOf(usage?.outputTokens),
});

/** Providers have reported NaN and negative numbers. */
const countOf = (tokens: number | undefined): number | null =>
  tokens !== undefined && Number.isSafeInteger(tokens) && tokens >= 0 ? tokens : null;

type Failed = Extract<ModelReply, { kind: "failed" }>;

const failed = (
  reason: Failed["reason"],
  detail: string,
  retryAfterSeconds: number | null = null,
): Failed => ({
  kind: "failed",
  reason,
  detail,
  retryAfterSeconds,
});

/** The reply for an error of the SDK. Only the status and the library's own words are kept. */
function failureOf(error: unknown, now: number): Failed {
  if (!APICallError.isInstance(error)) {
    const name = error instanceof Error ? error.name : typeof error;
    return /^AI_(?:JSONParse|TypeValidation|InvalidResponseData|EmptyResponseBody)Error$/.test(name)
      ? failed("malformed", `the endpoint's answer cannot be read (${name})`)
      : failed("unavailable", `the call failed (${name})`);
  }
  const { statusCode, responseHeaders } = error;
  if (statusCode === undefined) return failed("unavailable", "the endpoint cannot be reached");
  const detail = `the endpoint answered ${statusCode}`;
  if (statusCode === 429) {
    return failed("rateLimited", detail, retryAfterSeconds(responseHeaders?.["retry-after"], now));
  }
  if (statusCode === 408 || statusCode === 504) return failed("timeout", detail);
  if (statusCode >= 500) return failed("unavailable", detail);
  if (statusCode < 300)
    return failed("malformed", "the endpoint answered something that is no completion");
  return failed("rejected", detail);
}
