import {
  assetStream,
  jobStream,
  type StoredEvent,
  toStoredEvent,
} from "../domain/events/envelope.ts";
import type { JobRecord, Subject } from "../domain/job/job.ts";
import { KINDS } from "../domain/job/job-kinds.ts";
import type { Settlement } from "../domain/job/settle.ts";
import { projectFeed } from "../read-model/projections.ts";
import { noteKnown, type StreamHead } from "../read-model/streams.ts";
import { fileDeadLetters } from "../records/dead-letters/dead-letter-records.ts";
import { UNSETTLED } from "../records/jobs/job-records.ts";
import { writeAudit } from "../records/operations/audit.ts";
import { assetObject, type Platform, toMessage, traced } from "./platform/platform.ts";

/** A job and the attempt after which it failed for good. */
export interface Failure {
  readonly job: JobRecord;
  readonly settlement: Settlement;
  /** The dead letter's id; null when it is filed elsewhere. */
  readonly deadLetterId: string | null;
}

/**
 * A job that failed for good leaves an event, an audit row and, when its retries ran out, a dead
 * letter. These statements stand before the one that settles the jobs, and like it write nothing
 * for a job that somebody else has settled meanwhile.
 */
export function recordFailures(
  p: Platform,
  failures: readonly Failure[],
  now: number,
): D1PreparedStatement[] {
  const { DB } = p.env;
  const events = failures.flatMap((failure) => failureEvent(p, failure, now));
  const audit = failures.map(({ job, settlement }) => ({
    ...guardOf(settlement),
    id: p.newId(),
    at: now,
    actor: job.actor,
    action: "job.failed",
    subject: job.id,
    outcome: settlement.failure?.eventType ?? "",
    detail: settlement.error?.detail ?? null,
    traceparent: job.traceparent,
  }));
  const deadLetters = failures.flatMap((failure) => deadLetter(failure, now));
  return [
    projectFeed(DB, events, UNSETTLED),
    noteKnown(
      DB,
      events.map(({ streamId, version, jobId, attempt }) => ({
        streamId,
        version,
        jobId,
        attempt,
      })),
      now,
      UNSETTLED,
    ),
    writeAudit(DB, audit, UNSETTLED),
    ...(deadLetters.length > 0 ? [fileDeadLetters(DB, deadLetters, UNSETTLED)] : []),
  ];
}

/**
 * How far a stream reaches by its own log. A job that ends without success may have taken effect
 * all the same, in an attempt whose answer was lost; if then the event's message is lost too,
 * nobody else would know of it. An object that does not answer is passed over: its next job says
 * how far it reaches.
 */
export async function headOf(
  p: Platform,
  { subjectType, subjectId: symbol }: Subject,
): Promise<StreamHead[]> {
  // Only an asset's log is its own. A portfolio's and a ranking's are in D1, and how far they reach
  // was noted in the very transaction that wrote them; the others have none.
  if (subjectType !== "asset") return [];
  try {
    const { head } = await assetObject(p.env, symbol).readEvents(
      symbol,
      Number.MAX_SAFE_INTEGER,
      1,
    );
    return head > 0 ? [{ streamId: assetStream(symbol), version: head }] : [];
  } catch (error) {
    p.log({
      level: "warn",
      message: "stream not asked how far it reaches",
      symbol,
      error: String(error),
    });
    return [];
  }
}

/** The same for the assets of jobs that failed. */
export async function headsOfFailed(
  p: Platform,
  failures: readonly Failure[],
): Promise<StreamHead[]> {
  const subjects = new Map(failures.map(({ job }) => [job.symbol, job]));
  return (await Promise.all([...subjects.values()].map((job) => headOf(p, job)))).flat();
}

/**
 * Tells the events consumer of the failures; if this is lost the sweep finds the streams behind.
 */
export async function announceFailures(p: Platform, failures: readonly Failure[]): Promise<void> {
  try {
    await p.env.EVENTS_QUEUE.sendBatch(
      failures.map(({ job }) => ({
        body: {
          streamId: jobStream(job.id),
          version: failureVersion(job),
          event: null,
          ...traced(job.traceparent),
        },
      })),
    );
    // These messages carry no event, so whoever takes them cannot count it.
    for (const { settlement } of failures)
      p.metrics.count("events_published_total", {
        event_type: settlement.failure?.eventType ?? "",
      });
  } catch (error) {
    p.log({ level: "warn", message: "failure not announced", error: String(error) });
  }
}

/** What UNSETTLED looks at. */
const guardOf = ({ id, number }: Settlement) => ({ jobId: id, attempt: number });

/** A job fails once for each time it was put to work. */
const failureVersion = (job: JobRecord): number => job.redrives + 1;

function failureEvent(
  p: Platform,
  { job, settlement }: Failure,
  now: number,
): (StoredEvent & { readonly attempt: number })[] {
  if (settlement.failure === null) return [];
  const position = {
    eventId: p.newId(),
    streamId: jobStream(job.id),
    version: failureVersion(job),
    occurredAt: now,
  };
  const cause = {
    actorId: job.actor,
    jobId: job.id,
    correlationId: job.correlationId,
    causationId: job.causationId,
    ...(job.traceparent == null ? {} : { traceparent: job.traceparent }),
  };
  return [{ ...guardOf(settlement), ...toStoredEvent(settlement.failure, position, cause) }];
}

function deadLetter({ job, settlement, deadLetterId }: Failure, now: number) {
  if (deadLetterId === null || settlement.failure?.deadLetter !== true) return [];
  return [
    {
      ...guardOf(settlement),
      id: deadLetterId,
      queue: KINDS[job.kind].queue,
      subject: job.id,
      symbol: job.symbol,
      body: toMessage(job),
      error: settlement.error ?? { code: "unknown", detail: "" },
      attempts: settlement.number,
      createdAt: now,
      ...failedFrom(job, now),
      traceparent: job.traceparent,
    },
  ];
}

/** When a job failed for the first and for the last time, if it fails now. */
export const failedFrom = ({ attempts }: JobRecord, now: number) => ({
  firstAt: attempts.find(({ error }) => error !== null)?.endedAt ?? now,
  lastAt: now,
});
