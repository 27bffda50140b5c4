import type { JobRecord } from "../domain/job/job.ts";
import { familyOf } from "../domain/job/job-kinds.ts";
import { canonicalJson } from "../domain/recommendation/canonical-json.ts";

/** Who and what stands behind the events a job sets off. */
export const causeOf = (job: JobRecord) => ({
  actorId: job.actor,
  jobId: job.id,
  correlationId: job.correlationId,
  causationId: job.causationId,
  ...(job.traceparent == null ? {} : { traceparent: job.traceparent }),
});

/** What was ordered, as text to hash: the same job id with another order is a conflict. */
export const orderOf = (job: JobRecord): string =>
  canonicalJson({
    // Commits of before a kind was split off remember the word it had.
    kind: familyOf(job.kind),
    symbol: job.symbol,
    resolution: job.resolution,
    params: job.params,
    slot: job.slot,
  });
