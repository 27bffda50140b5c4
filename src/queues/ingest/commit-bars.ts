import type { Bar } from "../../domain/asset/bar.ts";
import type { BarRules, checkBars } from "../../domain/asset/check-bars.ts";
import type { CorporateAction } from "../../domain/asset/corporate-action.ts";
import { assetStream } from "../../domain/events/envelope.ts";
import type { JobRecord } from "../../domain/job/job.ts";
import { barKey } from "../../domain/market/bar-key.ts";
import { done, type Outcome } from "../../domain/outcome.ts";
import { causeOf, orderOf } from "../command.ts";
import type { JobSuccess } from "../consumer.ts";
import type { IngestAsset, IngestDeps } from "./ingest-deps.ts";

/** By what the bars of a job are judged. */
export const rulesFor = (
  deps: Pick<IngestDeps, "now">,
  job: JobRecord,
  asset: IngestAsset,
): BarRules => ({
  now: deps.now(),
  resolution: job.resolution,
  keyOf: (instant: number) => barKey(job.resolution, asset.calendar, instant),
});

/** Of a batch's oddities so many are listed; all are counted. */
const MAX_WARNINGS = 20;

/**
 * What was odd about rows that were taken, and how many were left out because an equal row was
 * there already.
 */
export function oddities({
  warnings,
  warningTotal,
  folded,
}: Extract<ReturnType<typeof checkBars>, { ok: true }>): Readonly<Record<string, unknown>> {
  return {
    ...(warningTotal === 0 ? {} : { warnings: warnings.slice(0, MAX_WARNINGS), warningTotal }),
    ...(folded === 0 ? {} : { folded }),
  };
}

/** What is to be stored, and who told it. */
interface Reported {
  readonly source: string;
  readonly bars: readonly Bar[];
  readonly actions: readonly CorporateAction[];
  /** By what to multiply the stored bars before these; left out for 1. */
  readonly olderTimes?: number;
}

/** One call of the asset's object commits all of it, or none. */
export async function commit(
  deps: Pick<IngestDeps, "ingest" | "hash">,
  job: JobRecord,
  { source, bars, actions, olderTimes }: Reported,
  about: Readonly<Record<string, unknown>> = {},
): Promise<Outcome<JobSuccess>> {
  const result = await deps.ingest({
    symbol: job.symbol,
    cause: causeOf(job),
    jobId: job.id,
    requestHash: await deps.hash(orderOf(job)),
    resolution: job.resolution,
    source,
    scheduleId: job.scheduleId,
    slot: job.slot === null ? null : new Date(job.slot).toISOString(),
    bars,
    ...(actions.length === 0 ? {} : { actions }),
    ...(olderTimes === undefined ? {} : { olderTimes }),
  });
  return done({
    result: { ...result, ...about },
    head: { streamId: assetStream(job.symbol), version: result.head },
  });
}
