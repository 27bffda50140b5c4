import type { EvaluationsResult, ResolveCommand } from "../../domain/asset/commands.ts";
import { assetStream } from "../../domain/events/envelope.ts";
import { done } from "../../domain/outcome.ts";
import { causeOf, orderOf } from "../command.ts";
import type { JobHandler } from "../consumer.ts";
import type { JobWork } from "../job-work.ts";

export interface EvaluationDeps {
  readonly resolve: (command: ResolveCommand) => Promise<EvaluationsResult>;
  readonly hash: (text: string) => Promise<string>;
}

/**
 * Lets the asset judge its recommendations that have come to their horizon. A call whose horizon
 * bar is not there stays open, so a job that finds nothing has done its work.
 */
const evaluationHandler =
  (deps: EvaluationDeps): JobHandler =>
  async (job) => {
    const requestHash = await deps.hash(orderOf(job));
    const result = await deps.resolve({
      symbol: job.symbol,
      cause: causeOf(job),
      jobId: job.id,
      requestHash,
    });
    return done({ result, head: { streamId: assetStream(job.symbol), version: result.head } });
  };

export const evaluationWork: JobWork<EvaluationDeps> = {
  handler: evaluationHandler,
  dryRun: (deps, preview) => ({ ...deps, resolve: preview.evaluations }),
};
