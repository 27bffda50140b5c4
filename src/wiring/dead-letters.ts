import { settleLost } from "../domain/job/settle.ts";
import type { Problem } from "../domain/outcome.ts";
import type { DeadLettersDeps } from "../queues/dead-letters.ts";
import { subjectOf } from "../queues/messages.ts";
import { noteKnown } from "../read-model/streams.ts";
import { fileDeadLetters, isFiled } from "../records/dead-letter-records.ts";
import { failDelivery } from "../records/delivery-records.ts";
import { loadJobs, settleJobs } from "../records/job-records.ts";
import { failRebuild } from "../records/rebuild-records.ts";
import { failRun } from "../records/reconciliation-records.ts";
import { afterJobs, type ReleasedJob } from "../records/sequence-records.ts";
import type { Platform } from "./common.ts";
import { announceFailures, failedFrom, headsOfFailed, recordFailures } from "./failures.ts";
import { nudge } from "./jobs.ts";

export function deadLettersDeps(p: Platform): DeadLettersDeps {
  const { DB } = p.env;
  return {
    log: p.log,
    file: async (message, error) => {
      // Filed before, and only the acknowledgement was lost: since then the work may have been put back.
      if (await isFiled(DB, message.id)) return;
      const now = p.now();
      const { queue, subject, symbol } = subjectOf(message.body);
      const isJob = symbol !== null && subject !== null;
      const failures = isJob ? await lostJobs(p, subject, error, now) : [];
      const lost = failures[0]?.job;
      const letter = {
        id: message.id,
        queue: queue ?? "unknown",
        subject,
        symbol,
        body: message.body,
        error,
        attempts: message.attempts,
        createdAt: now,
        ...(lost === undefined ? {} : { ...failedFrom(lost, now), traceparent: lost.traceparent }),
      };
      const statements: D1PreparedStatement[] = [];
      // These look whether the letter is there, so they stand before it. Jobs look at the number of their attempt.
      if (queue === "webhooks" && subject !== null)
        statements.push(failDelivery(DB, subject, letter.id, now));
      if (queue === "reconcile" && subject !== null) {
        // A run or a rebuild: an id that is not there changes nothing.
        statements.push(
          failRun(DB, subject, letter.id, error.detail, now),
          failRebuild(DB, subject, letter.id, error.detail),
        );
      }
      statements.push(fileDeadLetters(DB, [letter]));
      if (failures.length > 0) {
        const heads = await headsOfFailed(p, failures);
        statements.push(
          ...(heads.length > 0 ? [noteKnown(DB, heads, now)] : []),
          ...recordFailures(p, failures, now),
          ...settleJobs(
            DB,
            failures.map(({ settlement }) => settlement),
            now,
          ),
          ...afterJobs(
            DB,
            failures.map(({ job }) => job),
            now,
          ),
        );
      }
      const results = await DB.batch<ReleasedJob>(statements);
      if (failures.length > 0) await nudge(p, results.at(-1)?.results ?? []);
      if (failures.length > 0) await announceFailures(p, failures);
    },
  };
}

/** The job behind a message as failed, if it is still open. Its letter is the message's own. */
async function lostJobs(p: Platform, jobId: string, error: Problem, now: number) {
  const jobs = await loadJobs(p.env.DB, [jobId]);
  return jobs
    .filter(({ finishedAt }) => finishedAt === null)
    .map((job) => ({ job, settlement: settleLost(job, error, now), letterId: null }));
}
