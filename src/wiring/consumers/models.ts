import type { Config } from "../../config.ts";
import { modelService } from "../../domain/breaker/service.ts";
import type { FallbackReason } from "../../domain/recommendation/llm/fallback.ts";
import { type Provider, verdictOfReply } from "../../domain/recommendation/llm/reply.ts";
import { variantOf } from "../../domain/recommendation/llm/variants.ts";
import { variantsOf } from "../../model-config.ts";
import type { ModelEndpoint } from "../../models/providers.ts";
import { adviceFrom, modelAdvice } from "../../queues/analysis/model-advice.ts";
import type {
  ModelAdviceDeps,
  ModelBook,
  ModelResponse,
  Question,
} from "../../queues/analysis/model-question.ts";
import type { RecommendationDeps } from "../../queues/analysis/recommendations.ts";
import {
  claimQuestion,
  lookUpQuestion,
  moveAudits,
  releaseQuestion,
  reserveTokens,
  settleQuestion,
  settleTokens,
  writeAudit,
} from "../../records/analysis/model-records.ts";
import { breakers } from "../operations/breakers.ts";
import type { Platform } from "../platform/platform.ts";
import { tracedFetch } from "./sources.ts";

/** Beyond the time of both calls, for what is written around them. */
const LEASE_SLACK_MS = 60_000;

/** That a breaker is open is believed for so long without asking it again. */
const MAX_CACHE_SECONDS = 10;

/**
 * Who recommends, and how a model is asked: in the worker, through its breaker, within time and
 * budget.
 */
export function modelDeps(
  p: Platform,
): Pick<RecommendationDeps, "variantOf" | "askModel" | "noteStanding"> {
  const variants = variantsOf(p.config);
  const deps = adviceDeps(p);
  return {
    variantOf: (symbol) => variantOf(variants, symbol),
    askModel: (question) => modelAdvice(question, deps),
    noteStanding: async (intended, standing) => {
      await moveAudits(p.env.DB, intended, standing).run();
    },
  };
}

/** The same for a dry run: known answers are used, nobody is asked, nothing is written. */
export function modelPreview(
  p: Platform,
): Pick<RecommendationDeps, "variantOf" | "askModel" | "noteStanding"> {
  return {
    ...modelDeps(p),
    askModel: async (question) => {
      const settled = await lookUpQuestion(p.env.DB, question.id);
      if (settled !== null) return adviceFrom(settled, question);
      return { kind: "fallback", reason: "dryRun", recommendationId: null };
    },
    noteStanding: async () => undefined,
  };
}

function adviceDeps(p: Platform): ModelAdviceDeps {
  const { config } = p;
  const guard = breakers(p);
  return {
    book: modelBook(p),
    pausedBy: (provider) => pausedBy(p, provider),
    ask: async (question, prompt, repair) => {
      const { provider } = question.variant;
      const { id: jobId, traceparent = null } = question.job;
      const timeoutMs = config.LLM_TIMEOUT_SECONDS * 1000;
      const guarded = await guard({
        service: modelService(provider),
        subject: question.job.symbol,
        jobId,
        traceparent,
        call: async () => {
          // A megabyte of code that only those need who ask models: it is loaded when the first one
          // is asked.
          const { askModel } = await import("../../models/ask.ts");
          return askModel(placeOf(p, question), prompt, repair, {
            fetch: tracedFetch(p, traceparent),
            timeoutMs,
            maxOutputTokens: config.LLM_MAX_OUTPUT_TOKENS,
            now: p.now(),
          });
        },
        verdictOf: (reply) => verdictOfReply(reply, timeoutMs),
      });
      if (guarded.kind === "open") {
        // One asset's question must not keep the others from theirs.
        if (guarded.concerns === "everybody")
          pause(p, provider, Math.min(MAX_CACHE_SECONDS, guarded.seconds), "breakerOpen");
        return { kind: "unasked", reason: "breakerOpen" } satisfies ModelResponse;
      }
      const { result } = guarded;
      if (result.kind === "failed" && result.reason === "rateLimited") {
        pause(p, provider, result.retryAfterSeconds ?? DEFAULT_WAIT_SECONDS, "rateLimited");
      }
      return result;
    },
    hash: p.hash,
    newId: p.newId,
    now: p.now,
    maxOutputTokens: config.LLM_MAX_OUTPUT_TOKENS,
    secrets: [config.LLM_API_KEY, config.ADMIN_API_KEY],
    metrics: p.metrics,
    log: p.log,
  };
}

function placeOf({ config, env }: Platform, { variant }: Question): ModelEndpoint {
  return {
    provider: variant.provider,
    model: variant.model,
    baseUrl: config.LLM_BASE_URL,
    key: config.LLM_API_KEY,
    structured: config.LLM_STRUCTURED_OUTPUT,
    binding: aiOf(env),
  };
}

/**
 * The binding of Workers AI stands in wrangler.toml only where it is used: it always needs an
 * account.
 */
const aiOf = (env: Env & { readonly AI?: Ai }): Ai | null => env.AI ?? null;

/** Without a word on how long, a limit is believed for so long. */
const DEFAULT_WAIT_SECONDS = 30;

interface Pause {
  readonly until: number;
  readonly reason: Extract<FallbackReason, "breakerOpen" | "rateLimited">;
}

/**
 * Providers that are not to be asked for a while, per isolate: another isolate finds out by itself,
 * with one call. A limit is obeyed for as long as the provider says.
 */
const pauses = new WeakMap<Config, Map<Provider, Pause>>();

export const pausesOf = ({ config }: Pick<Platform, "config">): Map<Provider, Pause> => {
  const own = pauses.get(config) ?? new Map<Provider, Pause>();
  pauses.set(config, own);
  return own;
};

const pausedBy = (p: Platform, provider: Provider): Pause["reason"] | null => {
  const own = pausesOf(p).get(provider);
  return own !== undefined && own.until > p.now() ? own.reason : null;
};

const pause = (p: Platform, provider: Provider, seconds: number, reason: Pause["reason"]): void => {
  pausesOf(p).set(provider, { until: p.now() + seconds * 1000, reason });
};

function modelBook({ env, config, now }: Platform): ModelBook {
  const { DB } = env;
  const leaseMs = 2 * config.LLM_TIMEOUT_SECONDS * 1000 + LEASE_SLACK_MS;
  return {
    claim: (question, holder) => claimQuestion(DB, question, holder, now(), now() + leaseMs),
    reserve: (tokens, at) => reserveTokens(DB, at, tokens, config.LLM_TOKENS_PER_DAY),
    finish: async ({ question, holder, settled, audit, corrections }) => {
      const [first] = await DB.batch([
        settled === null
          ? releaseQuestion(DB, question, holder)
          : settleQuestion(DB, question, holder, settled),
        ...corrections.map(({ at, tokens }) => settleTokens(DB, at, tokens)),
        ...(audit === null ? [] : [writeAudit(DB, audit)]),
      ]);
      return (first?.meta.changes ?? 0) > 0;
    },
    lookUp: (question) => lookUpQuestion(DB, question),
  };
}
