import type {
  RecommendationContext,
  RecommendationResult,
  RecordRecommendationCommand,
} from "../../domain/asset/commands.ts";
import { assetStream } from "../../domain/events/envelope.ts";
import type { JobRecord } from "../../domain/job/job.ts";
import type { Resolution } from "../../domain/market/resolution.ts";
import { done, later, type Outcome } from "../../domain/outcome.ts";
import { canonicalJson } from "../../domain/recommendation/canonical-json.ts";
import { engineKey } from "../../domain/recommendation/engine-record.ts";
import { type FallbackReason, withFallback } from "../../domain/recommendation/llm/fallback.ts";
import { outsideText } from "../../domain/recommendation/llm/outside-text.ts";
import type { Variant } from "../../domain/recommendation/llm/variants.ts";
import type { RecommendationBody } from "../../domain/recommendation/recommendation.ts";
import { type Advice, recommend } from "../../domain/recommendation/rules-engine.ts";
import type { Snapshot } from "../../domain/recommendation/snapshot.ts";
import { causeOf, orderOf } from "../command.ts";
import type { JobHandler, JobSuccess } from "../consumer.ts";
import type { JobWork } from "../job-work.ts";
import { MODEL_ENGINE_VERSION, type ModelAdvice } from "./model-advice.ts";
import type { ModelVariant, Question } from "./model-question.ts";

export interface RecommendationDeps {
  /** `engine` is the key of the engine whose record is asked for. */
  readonly context: (
    symbol: string,
    resolution: Resolution,
    engine: string | undefined,
  ) => Promise<RecommendationContext | null>;
  readonly record: (command: RecordRecommendationCommand) => Promise<RecommendationResult>;
  readonly hash: (text: string) => Promise<string>;
  readonly newId: () => string;
  readonly codeVersion: string;
  /** Who answers for an asset: always the same one. */
  readonly variantOf: (symbol: string) => Variant;
  readonly askModel: (question: Question) => Promise<ModelAdvice>;
  /**
   * An older recommendation stands where this one was to: what is kept about it belongs to that
   * one.
   */
  readonly noteStanding: (intended: string, standing: string) => Promise<void>;
}

/** A busy asset is read anew at once a few times; after that the job waits its turn. */
const MAX_READS = 3;

/** Somebody else's question is mostly answered long before the lease runs out. */
const MAX_POLL_SECONDS = 15;

/** Reads the evidence from the asset, decides outside it, and lets the asset keep the answer. */
function recommendationHandler(deps: RecommendationDeps): JobHandler {
  return async (job) => {
    for (let tries = 0; tries < MAX_READS; tries++) {
      const outcome = await answer(job, deps);
      if (outcome !== null) return outcome;
    }
    return later({
      code: "stream.version_conflict",
      detail: "the asset changed again and again meanwhile",
    });
  };
}

/** One reading and one answer; null when the asset has moved on in between. */
async function answer(
  job: JobRecord,
  deps: RecommendationDeps,
): Promise<Outcome<JobSuccess> | null> {
  const variant = deps.variantOf(job.symbol);
  const context = await deps.context(job.symbol, job.resolution, recordKeyOf(variant));
  if (context === null) {
    // Bars changed meanwhile; the indicators job that follows them is on its way.
    return later({
      code: "analysis.not_ready",
      detail: "the newest bars have not been analysed yet",
    });
  }
  const { snapshot, basedOn, version, quality } = context;
  const given = await adviceFor(job, variant, context, deps);
  if (given.kind === "busy") {
    const detail = "another worker is asking the model this very question";
    return later(
      { code: "model.answer_in_progress", detail },
      Math.min(MAX_POLL_SECONDS, given.afterSeconds),
    );
  }
  const { recommendationId } = given;
  const result = await deps.record({
    symbol: job.symbol,
    cause: causeOf(job),
    jobId: job.id,
    requestHash: await deps.hash(orderOf(job)),
    expectedVersion: version,
    recommendation: {
      recommendationId,
      symbol: snapshot.symbol,
      resolution: snapshot.resolution,
      asOf: new Date(snapshot.asOf).toISOString(),
      close: snapshot.close,
      source: snapshot.source,
      ...given.advice,
      trend: { direction: snapshot.trend.direction, score: snapshot.trend.score },
      ...given.about,
      codeVersion: deps.codeVersion,
      actionsApplied: snapshot.splits,
      ...(quality === undefined ? {} : { dataQuality: quality }),
      basedOn,
    },
  });
  if (result.kind === "conflict") return null;
  if (given.isAudited && result.recommendationId !== recommendationId) {
    await deps.noteStanding(recommendationId, result.recommendationId);
  }
  return done({ result, head: { streamId: assetStream(job.symbol), version: result.head } });
}

type Given =
  | {
      readonly kind: "given";
      readonly advice: Advice;
      readonly about: Pick<
        RecommendationBody,
        | "engine"
        | "engineVersion"
        | "snapshotHash"
        | "variant"
        | "provider"
        | "modelId"
        | "promptVersion"
        | "fallback"
      >;
      readonly recommendationId: string;
      readonly isAudited: boolean;
    }
  | { readonly kind: "busy"; readonly afterSeconds: number };

/** The advice of the asset's engine, or of the rules where that has none, with who gave it. */
async function adviceFor(
  job: JobRecord,
  variant: Variant,
  { snapshot, record = null }: RecommendationContext,
  deps: RecommendationDeps,
): Promise<Given> {
  if (variant.engine === "rules") return byRules(snapshot, variant, null, null, deps);
  const { name, provider, model, promptVersion } = variant;
  if (provider === null) return byRules(snapshot, variant, "notConfigured", null, deps);
  const chosen = { ...variant, provider };
  const id = await deps.hash(questionOf(snapshot, chosen));
  const said = await deps.askModel({ id, snapshot, variant: chosen, job, record });
  if (said.kind === "busy") return said;
  if (said.kind === "fallback") {
    const given = await byRules(snapshot, variant, said.reason, said.recommendationId, deps);
    return { ...given, isAudited: said.recommendationId !== null };
  }
  return {
    kind: "given",
    advice: said.advice,
    about: {
      engine: "llm",
      engineVersion: MODEL_ENGINE_VERSION,
      snapshotHash: id,
      variant: name,
      provider,
      // The endpoint's own word for it: a text from outside like any other.
      modelId: outsideText(said.modelId) || model,
      promptVersion,
    },
    recommendationId: said.recommendationId,
    isAudited: true,
  };
}

async function byRules(
  snapshot: Snapshot,
  { name, engine }: Variant,
  reason: FallbackReason | null,
  recommendationId: string | null,
  deps: RecommendationDeps,
): Promise<Extract<Given, { kind: "given" }>> {
  const advice = recommend(snapshot);
  return {
    kind: "given",
    advice: reason === null ? advice : withFallback(advice, reason),
    about: {
      engine: snapshot.engine,
      engineVersion: snapshot.engineVersion,
      snapshotHash: await deps.hash(canonicalJson(snapshot)),
      variant: name,
      ...(reason === null ? {} : { fallback: { from: engine, reason } }),
    },
    recommendationId: recommendationId ?? deps.newId(),
    isAudited: false,
  };
}

/** Whose record decides how sure an answer is. The rules' own stands in their snapshot. */
const recordKeyOf = (variant: Variant): string | undefined =>
  variant.engine === "llm"
    ? engineKey({
        engine: "llm",
        engineVersion: MODEL_ENGINE_VERSION,
        promptVersion: variant.promptVersion,
      })
    : undefined;

/** Everything that decides a model's answer, as text to hash: an equal one is the same question. */
const questionOf = (snapshot: Snapshot, { provider, model, promptVersion }: ModelVariant): string =>
  canonicalJson({
    ...snapshot,
    engine: "llm",
    engineVersion: MODEL_ENGINE_VERSION,
    promptVersion,
    provider,
    model,
  });

export const recommendationWork: JobWork<RecommendationDeps> = {
  handler: recommendationHandler,
  dryRun: (deps, preview) => ({
    ...deps,
    newId: preview.newId,
    record: preview.recommendation,
    noteStanding: async () => undefined,
  }),
};
