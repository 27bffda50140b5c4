import { RETRY_POLICIES, type RetryPolicies } from "../../../src/domain/job/retry-policies.ts";
import { attemptsOf } from "../../../src/domain/job/retry-policy.ts";
import type { Invariant } from "./list.ts";
import type { JobView, View } from "./view.ts";

/**
 * Accepted work ends done, failed and recorded, or as a dead letter: the caller finds the job, the
 * job has ended, and it made no more attempts than its policy grants for each redrive.
 */
export const jobsEnd: Invariant = {
  name: "accepted work ends, within its attempts",
  check: (view) => {
    const faults: string[] = [];
    for (const id of [...view.ledger.jobs, ...view.ledger.imports.map(({ jobId }) => jobId)])
      if (!view.jobs.has(id)) faults.push(`${id} was accepted and is not there`);
    for (const job of view.jobs.values()) {
      if (!["succeeded", "failed", "cancelled"].includes(job.state) && !waitsInOrder(view, job))
        faults.push(`${job.id} is ${job.state}`);
      const [last] = job.attempts.slice(-1);
      if (job.state === "succeeded" && last?.["outcome"] !== "done")
        faults.push(`${job.id} succeeded without success`);
      faults.push(...tooMany(job));
      if (job.attempts.some(({ number }, at) => number !== at + 1))
        faults.push(`${job.id} counts its attempts wrongly`);
    }
    const poisoned = view.system.poisoned();
    for (const { symbol } of view.ledger.assets.filter((asset) => !poisoned.has(asset.symbol))) {
      const [row] = view.rows("SELECT symbol FROM assets WHERE symbol = ?", symbol);
      if (row === undefined) faults.push(`${symbol} was registered and is not there`);
      const object = view.objects.find(({ streamId }) => streamId === `asset/${symbol}`);
      if (object === undefined) faults.push(`${symbol} was registered and its log does not know`);
    }
    return faults;
  },
};

/**
 * A job may wait for an earlier one of its asset whose retries are exhausted, as long as that one's
 * dead letter is open.
 */
function waitsInOrder(view: View, { id, row }: JobView): boolean {
  if (row["blocked_by"] === undefined || row["blocked_by"] === null || row["due_at"] !== null)
    return false;
  const parked = view.rows(
    `SELECT 1 FROM dead_letters l JOIN jobs earlier ON earlier.id = l.subject JOIN jobs own ON own.id = ?1
     WHERE l.state = 'open' AND earlier.symbol = own.symbol AND earlier.state NOT IN ('succeeded', 'cancelled')
       AND (earlier.created_at, earlier.id) < (own.created_at, own.id)`,
    id,
  );
  return parked.length > 0;
}

function tooMany(job: JobView): string[] {
  const most =
    job.kind in RETRY_POLICIES ? attemptsOf(RETRY_POLICIES[job.kind as keyof RetryPolicies]) : null;
  return [...Map.groupBy(job.attempts, ({ redrive }) => Number(redrive))].flatMap(
    ([redrive, attempts]) => {
      // The queue's own limit ends a job whose attempts were never recorded, in addition to the
      // recorded ones.
      const seen = attempts.filter(
        ({ error }) => !JSON.stringify(error).includes("queue.retries_exhausted"),
      ).length;
      return most !== null && seen > most
        ? [`${job.id} made ${seen} attempts after redrive ${redrive}`]
        : [];
    },
  );
}

/**
 * A job that failed for good is recorded everywhere: an event in its stream, an audit row, and a
 * dead letter if its retries were exhausted.
 */
export const failuresAreRecorded: Invariant = {
  name: "every failure is recorded",
  check: (view) => [...view.jobs.values()].flatMap((job) => recordFaults(view, job)),
};

function recordFaults(view: View, job: JobView): string[] {
  const failures = job.redrives + (job.state === "failed" ? 1 : 0);
  const events = (view.feed.get(`job/${job.id}`) ?? []).filter(
    ({ eventType }) => eventType === "JobFailed" || eventType === "RetryExhausted",
  );
  const faults: string[] = [];
  if (events.length !== failures)
    faults.push(`${job.id} failed ${failures} times and has ${events.length} events of it`);
  const audits = view.rows(
    "SELECT id FROM audit_log WHERE action = 'job.failed' AND subject = ?",
    job.id,
  );
  if (audits.length !== failures)
    faults.push(`${job.id} failed ${failures} times and has ${audits.length} audit rows`);
  const retriesExhausted = events.filter(({ eventType }) => eventType === "RetryExhausted").length;
  const deadLetters = view.rows("SELECT id FROM dead_letters WHERE subject = ?", job.id);
  if (deadLetters.length < retriesExhausted)
    faults.push(
      `${job.id} gave up ${retriesExhausted} times and has ${deadLetters.length} dead letters`,
    );
  return faults;
}

/** Messages that no consumer can read end as dead letters, never as nothing. */
export const garbageIsKept: Invariant = {
  name: "unreadable messages are kept",
  check: (view) => {
    const deadLetters = view.rows("SELECT body FROM dead_letters").map(({ body }) => String(body));
    const kept = new Set(deadLetters.filter((body) => body.includes('"garbage"')));
    return view.system.garbage
      .filter((body) => !kept.has(body))
      .map((body) => `${body} is nowhere`);
  },
};
