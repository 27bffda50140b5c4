import type {
  RecommendationContext,
  RecommendationResult,
  RecordRecommendationCommand,
} from "../domain/asset/commands.ts";
import { assetStream } from "../domain/events/envelope.ts";
import type { JobRecord } from "../domain/job/job.ts";
import type { Resolution } from "../domain/market/resolution.ts";
import { done, later, type Outcome } from "../domain/outcome.ts";
import { canonicalJson } from "../domain/recommendation/canonical-json.ts";
import { recommend } from "../domain/recommendation/rules-engine.ts";
import { causeOf, orderOf } from "./command.ts";
import type { JobHandler, JobSuccess } from "./consumer.ts";

export interface RecommendationDeps {
  readonly context: (symbol: string, resolution: Resolution) => Promise<RecommendationContext | null>;
  readonly record: (command: RecordRecommendationCommand) => Promise<RecommendationResult>;
  readonly hash: (text: string) => Promise<string>;
  readonly newId: () => string;
  readonly codeVersion: string;
}

/** A busy asset is read anew at once a few times; after that the job waits its turn. */
const MOST_READS = 3;

/** Reads the evidence from the asset, decides outside it, and lets the asset keep the answer. */
export function recommendationHandler(deps: RecommendationDeps): JobHandler {
  return async (job) => {
    for (let tries = 0; tries < MOST_READS; tries++) {
      const outcome = await answer(job, deps);
      if (outcome !== null) return outcome;
    }
    return later({ code: "version_conflict", detail: "the asset changed again and again meanwhile" });
  };
}

/** One reading and one answer; null when the asset has moved on in between. */
async function answer(job: JobRecord, deps: RecommendationDeps): Promise<Outcome<JobSuccess> | null> {
  const context = await deps.context(job.symbol, job.resolution);
  if (context === null) {
    // Bars changed meanwhile; the indicators job that follows them is on its way.
    return later({ code: "analysis_not_ready", detail: "the newest bars have not been analysed yet" });
  }
  const { snapshot, basedOn, version } = context;
  const result = await deps.record({
    symbol: job.symbol,
    cause: causeOf(job),
    jobId: job.id,
    orderHash: await deps.hash(orderOf(job)),
    expectedVersion: version,
    recommendation: {
      recommendationId: deps.newId(),
      symbol: snapshot.symbol,
      resolution: snapshot.resolution,
      asOf: new Date(snapshot.asOf).toISOString(),
      close: snapshot.close,
      source: snapshot.source,
      ...recommend(snapshot),
      trend: { direction: snapshot.trend.direction, score: snapshot.trend.score },
      engine: snapshot.engine,
      engineVersion: snapshot.engineVersion,
      codeVersion: deps.codeVersion,
      snapshotHash: await deps.hash(canonicalJson(snapshot)),
      basedOn,
    },
  });
  if (result.kind === "conflict") return null;
  return done({ result, head: { streamId: assetStream(job.symbol), version: result.head } });
}
