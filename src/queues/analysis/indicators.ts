import type { IndicatorsCommand, IndicatorsResult } from "../../domain/asset/commands.ts";
import { assetStream } from "../../domain/events/envelope.ts";
import { done } from "../../domain/outcome.ts";
import { causeOf, orderOf } from "../command.ts";
import type { JobHandler } from "../consumer.ts";
import type { JobWork } from "../job-work.ts";

export interface IndicatorsDeps {
  readonly computeIndicators: (command: IndicatorsCommand) => Promise<IndicatorsResult>;
  readonly hash: (text: string) => Promise<string>;
  readonly codeVersion: string;
}

/** Asks the asset to compute what its newest bars imply. */
function indicatorsHandler(deps: IndicatorsDeps): JobHandler {
  return async (job) => {
    const result = await deps.computeIndicators({
      symbol: job.symbol,
      cause: causeOf(job),
      jobId: job.id,
      requestHash: await deps.hash(orderOf(job)),
      resolution: job.resolution,
      codeVersion: deps.codeVersion,
    });
    return done({ result, head: { streamId: assetStream(job.symbol), version: result.head } });
  };
}

export const indicatorsWork: JobWork<IndicatorsDeps> = {
  handler: indicatorsHandler,
  dryRun: (deps, preview) => ({ ...deps, computeIndicators: preview.indicators }),
};
