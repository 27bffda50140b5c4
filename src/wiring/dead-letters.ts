import { settleLost } from "../domain/job/settle.ts";
import type { Problem } from "../domain/outcome.ts";
import type { DeadLettersDeps } from "../queues/dead-letters.ts";
import {
  deliveryMessage,
  eventMessage,
  jobMessage,
  processMessage,
  scheduleMessage,
} from "../queues/messages.ts";
import { noteKnown } from "../read-model/streams.ts";
import { type DeadLetter, fileDeadLetters } from "../records/dead-letter-records.ts";
import { failDelivery } from "../records/delivery-records.ts";
import { loadJobs, settleJobs } from "../records/job-records.ts";
import type { Platform } from "./common.ts";
import { announceFailures, headsOfFailed, recordFailures } from "./failures.ts";

export function deadLettersDeps(p: Platform): DeadLettersDeps {
  const { DB } = p.env;
  return {
    log: p.log,
    file: async (message, error) => {
      const now = p.now();
      const about = aboutOf(message.body);
      const letter = {
        id: message.id,
        ...about.letter,
        body: message.body,
        error,
        attempts: message.attempts,
        createdAt: now,
      };
      const statements = [fileDeadLetters(DB, [letter])];
      if (about.deliveryId !== null) statements.push(failDelivery(DB, about.deliveryId, now));
      const failures = about.jobId === null ? [] : await lostJobs(p, about.jobId, error, now);
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
        );
      }
      await DB.batch(statements);
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

interface About {
  readonly letter: Pick<DeadLetter, "queue" | "subject" | "symbol">;
  readonly jobId: string | null;
  readonly deliveryId: string | null;
}

/** What a message was about. The queue it died on is not told, but each queue carries messages of its own shape. */
function aboutOf(body: unknown): About {
  const none = { jobId: null, deliveryId: null };
  const job = jobMessage.safeParse(body);
  if (job.success) {
    const { jobId, kind, symbol } = job.data;
    return { ...none, letter: { queue: kind, subject: jobId, symbol }, jobId };
  }
  const delivery = deliveryMessage.safeParse(body);
  if (delivery.success) {
    const { deliveryId } = delivery.data;
    return { ...none, letter: { queue: "webhooks", subject: deliveryId, symbol: null }, deliveryId };
  }
  const event = eventMessage.safeParse(body);
  if (event.success) {
    return { ...none, letter: { queue: "events", subject: event.data.streamId, symbol: null } };
  }
  const process = processMessage.safeParse(body);
  if (process.success) {
    return { ...none, letter: { queue: "processes", subject: process.data.processId, symbol: null } };
  }
  const slot = scheduleMessage.safeParse(body);
  const subject = slot.success ? slot.data.scheduleId : null;
  return { ...none, letter: { queue: slot.success ? "schedule" : "unknown", subject, symbol: null } };
}
