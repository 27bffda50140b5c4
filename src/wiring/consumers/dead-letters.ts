import { settleLost } from "../../domain/job/settle.ts";
import type { Problem } from "../../domain/outcome.ts";
import type { DeadLettersDeps } from "../../queues/dead-letters.ts";
import { subjectOf } from "../../queues/messages.ts";
import { noteKnown } from "../../read-model/streams.ts";
import {
  fileDeadLetters,
  isFiled,
  UNLETTERED,
} from "../../records/dead-letters/dead-letter-records.ts";
import { unfiled } from "../../records/dead-letters/dead-letter-states.ts";
import { loadJobs, settleJobs } from "../../records/jobs/job-records.ts";
import { afterJobs, type ReleasedJob } from "../../records/jobs/sequence-records.ts";
import { failRebuild } from "../../records/operations/rebuild-records.ts";
import { failRun } from "../../records/operations/reconciliation-records.ts";
import { claimedDeliveries, failDelivery } from "../../records/webhooks/delivery-records.ts";
import {
  type FailedDelivery,
  failedDeliveryFacts,
  reportFailedDeliveries,
} from "../delivery-failures.ts";
import { announceFacts } from "../facts.ts";
import { announceFailures, failedFrom, headsOfFailed, recordFailures } from "../failures.ts";
import type { Platform } from "../platform/platform.ts";
import { wakeUp } from "./jobs.ts";

export function deadLettersDeps(p: Platform): DeadLettersDeps {
  const { DB } = p.env;
  return {
    log: p.log,
    file: async (message, error) => {
      // Filed before, and only the acknowledgement was lost: since then the work may have been put
      // back.
      if (await isFiled(DB, message.id)) return;
      const now = p.now();
      const { queue, subject, symbol } = subjectOf(message.body);
      const isJob = symbol !== null && subject !== null;
      const failures = isJob ? await lostJobs(p, subject, error, now) : [];
      const lost = failures[0]?.job;
      const deadLetter = {
        id: message.id,
        queue: queue ?? "dead-letters",
        subject,
        symbol,
        body: message.body,
        error,
        attempts: message.attempts,
        createdAt: now,
        ...(lost === undefined ? {} : { ...failedFrom(lost, now), traceparent: lost.traceparent }),
      };
      const statements: D1PreparedStatement[] = [];
      // These look whether the letter is there, so they stand before it. Jobs look at the number of
      // their attempt.
      const lostOnes =
        queue === "webhooks" && subject !== null ? await lostDelivery(p, subject, deadLetter) : [];
      if (queue === "webhooks" && subject !== null)
        statements.push(
          ...reportFailedDeliveries(p, lostOnes, now, unfiled(quoted(deadLetter.id))),
          failDelivery(DB, subject, deadLetter.id, now),
        );
      if (queue === "reconcile" && subject !== null) {
        // A run or a rebuild: an id that is not there changes nothing.
        statements.push(
          failRun(DB, subject, deadLetter.id, error.detail, now),
          failRebuild(DB, subject, deadLetter.id, error.detail),
        );
      }
      statements.push(
        queue === "webhooks"
          ? fileDeadLetters(DB, [deadLetter], endedNow(now))
          : fileDeadLetters(DB, [deadLetter]),
      );
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
      if (failures.length > 0) await wakeUp(p, results.at(-1)?.results ?? []);
      if (failures.length > 0) await announceFailures(p, failures);
      await announceFacts(p, failedDeliveryFacts(lostOnes));
    },
  };
}

/** The job behind a message as failed, if it is still open. Its letter is the message's own. */
async function lostJobs(p: Platform, jobId: string, error: Problem, now: number) {
  const jobs = await loadJobs(p.env.DB, [jobId]);
  return jobs
    .filter(({ finishedAt }) => finishedAt === null)
    .map((job) => ({ job, settlement: settleLost(job, error, now), deadLetterId: null }));
}

/** The delivery behind a message as failed. Its letter is the message's own. */
async function lostDelivery(
  { env }: Platform,
  id: string,
  deadLetter: { readonly id: string; readonly error: Problem },
): Promise<FailedDelivery[]> {
  const found = await claimedDeliveries(env.DB, [id]);
  return found.flatMap((delivery) =>
    delivery.endpoint === null
      ? []
      : [
          {
            delivery,
            endpointId: delivery.endpoint.id,
            attempts: delivery.attempts.length,
            error: deadLetter.error,
            exhausted: true,
            disabling: false,
            traceparent: null,
            deadLetterId: deadLetter.id,
          },
        ],
  );
}

/**
 * Of letters in `?1`, those whose delivery the same batch has ended, and those that no delivery is
 * there for.
 */
const endedNow = (now: number): string => `(
  SELECT one.value FROM json_each(?1) AS one LEFT JOIN deliveries AS d ON d.id = one.value ->> 'subject'
  WHERE (d.id IS NULL OR (d.state = 'failed' AND d.finished_at = ${now})) AND ${UNLETTERED})`;

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
