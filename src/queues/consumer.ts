import { codeOfThrown, faultClassOf, TREATMENTS } from "../domain/job/fault.ts";
import type { JobRecord } from "../domain/job/job.ts";
import { isFinished } from "../domain/job/job.ts";
import { type JobKind, jobQueueOf, KINDS } from "../domain/job/job-kinds.ts";
import type { RetryPolicies } from "../domain/job/retry-policies.ts";
import { type Settlement, settleAttempt } from "../domain/job/settle.ts";
import type { Recorder } from "../domain/metrics/registry.ts";
import { later, type Outcome, type Problem, refused } from "../domain/outcome.ts";
import type { QueueName } from "../domain/queue/queues.ts";
import { jobContext, type Log, within } from "../domain/trace/log-context.ts";
import { continueTrace, type TraceIds } from "../domain/trace/traceparent.ts";
import { type JobMessage, jobMessage } from "./messages.ts";

/** What a job achieved: its result for the record, and how far its asset's stream reaches now. */
export interface JobSuccess {
  readonly result: unknown;
  readonly head: { readonly streamId: string; readonly version: number } | null;
}

export type JobHandler = (job: JobRecord) => Promise<Outcome<JobSuccess>>;

/** A claimed job, and the dead letter of its asset that blocks it, if there is one. */
type ClaimedJob = JobRecord & { readonly blockedBy: string | null };

export interface JobBook {
  load(ids: readonly string[]): Promise<ClaimedJob[]>;
  /**
   * Blocks jobs until what they wait for has ended, which sends them again. Returns the blocked.
   */
  setAside(ids: readonly string[]): Promise<readonly string[]>;
  start(ids: readonly string[]): Promise<void>;
  /** One transaction: states, stream heads and, for failures, event, audit row, dead letter. */
  settle(settlements: readonly SettledJob[]): Promise<void>;
}

interface SettledJob {
  readonly job: JobRecord;
  readonly settlement: Settlement;
  readonly head: JobSuccess["head"];
}

export interface ConsumerDeps {
  readonly jobs: JobBook;
  readonly now: () => number;
  readonly random: () => number;
  readonly policies: RetryPolicies;
  readonly log: Log;
  readonly metrics: Recorder;
  readonly trace: TraceIds;
  /** Files what cannot even be read as a message, so that it is not retried for nothing. */
  readonly fileUnreadable: (
    queue: string,
    message: Message<unknown>,
    error: Problem,
  ) => Promise<void>;
  /** Sends a message anew to the queue it came from. */
  readonly renew: (queue: string, body: unknown, delaySeconds: number) => Promise<void>;
}

/** How many jobs of a batch are worked on at once; a Worker has six connections. */
const AT_ONCE = 6;

/** A queue's clock and ours need not agree to the second. */
const SLACK_MS = 1_000;

/** Half of the retries that wrangler.toml grants. */
const RENEW_AFTER = 10;

/** While job records are unavailable the queue waits; these retries are not the job's fault. */
const STORE_RETRY_SECONDS = 15;

/**
 * Runs a batch of one queue's jobs. Each message gets its own verdict and nothing here throws, so
 * one asset's failure never delays another and no acknowledged message comes back. A message is
 * acknowledged only after its job's outcome is written down.
 */
export async function consumeJobs(
  batch: MessageBatch<unknown>,
  queue: QueueName,
  handlerOf: (kind: JobKind) => JobHandler,
  deps: ConsumerDeps,
): Promise<void> {
  const messages = await readable(batch, queue, deps);
  let due: JobRecord[];
  let early: JobRecord[];
  let skipped: JobRecord[];
  try {
    const named = await deps.jobs.load([...new Set(messages.map(({ body }) => body.jobId))]);
    // The job's own row says what it is. A message on another queue must not run it where its
    // batches are not meant for it.
    const loaded = named.filter(({ kind }) => KINDS[kind].queue === queue);
    const blocked = loaded.filter((job) => !isFinished(job.state) && job.blockedBy !== null);
    const aside = new Set(
      blocked.length > 0 ? await deps.jobs.setAside(blocked.map(({ id }) => id)) : [],
    );
    // What kept these back has just ended: their messages come again at once.
    skipped = blocked.filter(({ id }) => !aside.has(id));
    const open = inOrder(loaded.filter((job) => job.blockedBy === null));
    // A doubled message must not wear out the retries: what is to wait waits, however many ask.
    const isDue = ({ dueAt }: JobRecord) => dueAt === null || dueAt <= deps.now() + SLACK_MS;
    due = open.filter((job) => !isFinished(job.state) && isDue(job));
    early = open.filter((job) => !isFinished(job.state) && !isDue(job));
    const shown = due.filter(({ kind }) => KINDS[kind].showsRunning);
    await deps.jobs.start(shown.map(({ id }) => id));
  } catch (error) {
    deps.log({
      level: "error",
      message: "job records unavailable",
      queue: batch.queue,
      error: text(error),
    });
    for (const { message } of messages) message.retry({ delaySeconds: STORE_RETRY_SECONDS });
    return;
  }

  // A letter that this batch files keeps back what comes after it in this batch too.
  const parked = new Set<string>();
  const tried = await inWaves(due, AT_ONCE, async (job) => {
    if (parked.has(job.symbol)) return null;
    const one = await attempt(job, handlerOf(job.kind), deps);
    if (one.settlement.failure?.deadLetter === true) parked.add(job.symbol);
    return one;
  });
  const settled = tried.filter((one) => one !== null);
  skipped.push(...due.filter((_, index) => tried[index] === null));
  const unrecorded = await settle(settled, batch.queue, deps);
  const dueAts = new Map<string, number | null>(early.map(({ id, dueAt }) => [id, dueAt]));
  const again = deps.now() + (unrecorded.size > 0 ? STORE_RETRY_SECONDS * 1000 : 0);
  for (const { id } of skipped) dueAts.set(id, again);
  for (const { job, settlement } of settled) dueAts.set(job.id, settlement.dueAt);
  const waiting = new Set<string>();
  for (const { message, body } of messages) {
    const dueAt = dueAts.get(body.jobId) ?? null;
    if (unrecorded.has(body.jobId)) message.retry({ delaySeconds: STORE_RETRY_SECONDS });
    // Of several messages for one job only one carries it on.
    else if (dueAt === null || waiting.has(body.jobId)) message.ack();
    else await defer(batch.queue, message, dueAt, deps);
    waiting.add(body.jobId);
  }
}

/** As they were ordered, which is how jobs of one asset wait for each other. */
const inOrder = <T extends JobRecord>(jobs: readonly T[]): T[] =>
  jobs.toSorted((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));

/** Writes the outcomes together or, if that fails, one by one. Returns the jobs not written. */
async function settle(
  settled: readonly SettledJob[],
  queue: string,
  deps: Pick<ConsumerDeps, "jobs" | "log">,
): Promise<ReadonlySet<string>> {
  const unrecorded = new Set<string>();
  if (settled.length === 0) return unrecorded;
  try {
    await deps.jobs.settle(settled);
    return unrecorded;
  } catch (error) {
    deps.log({ level: "warn", message: "shared record failed", queue, error: text(error) });
  }
  for (const one of settled) {
    await deps.jobs.settle([one]).catch((error: unknown) => {
      // The work is done but not written down. Doing it again changes nothing, losing the outcome
      // would.
      unrecorded.add(one.job.id);
      deps.log({
        level: "error",
        message: "outcome not recorded",
        queue,
        jobId: one.job.id,
        error: text(error),
      });
    });
  }
  return unrecorded;
}

async function attempt(
  sorted: JobRecord,
  handler: JobHandler,
  deps: ConsumerDeps,
): Promise<SettledJob> {
  const startedAt = deps.now();
  // Each attempt is a piece of work of its own in its job's trace; what it commits and calls
  // carries this.
  const job = { ...sorted, traceparent: continueTrace(sorted.traceparent, deps.trace) };
  let outcome: Outcome<JobSuccess>;
  try {
    outcome = await handler(job);
  } catch (error) {
    outcome = outcomeOfThrow(error);
  }
  const settlement = settleAttempt(
    job,
    outcome.kind === "done" ? { kind: "done", value: outcome.value.result } : outcome,
    startedAt,
    deps.now(),
    deps.random(),
    deps.policies[job.kind],
  );
  const endedAt = settlement.attempt?.endedAt ?? deps.now();
  const seconds = (endedAt - startedAt) / 1000;
  const ended = settlement.attempt === null ? "deferred" : outcome.kind;
  deps.metrics.observe("job_duration_seconds", { kind: job.kind, outcome: ended }, seconds);
  const log = within(deps.log, jobContext(job, settlement.number));
  if (outcome.kind === "done") log({ level: "debug", message: "job done", seconds });
  else {
    // Only what the error is: its list can hold the rows of an upload.
    const { code, detail } = outcome.error;
    log({
      level: "warn",
      message: settlement.attempt === null ? "job deferred" : "job attempt failed",
      state: settlement.state,
      error: { code, detail },
    });
  }
  return { job, settlement, head: outcome.kind === "done" ? outcome.value.head : null };
}

/** What was thrown has a code, and the table of faults says whether trying again can help. */
export function outcomeOfThrow(error: unknown): Outcome<never> {
  const code = codeOfThrown(error);
  const problem = { code, detail: text(error) };
  return TREATMENTS[faultClassOf(code)].action === "fail" ? refused(problem) : later(problem);
}

async function readable(
  batch: MessageBatch<unknown>,
  queue: QueueName,
  deps: ConsumerDeps,
): Promise<{ message: Message<unknown>; body: JobMessage }[]> {
  const good: { message: Message<unknown>; body: JobMessage }[] = [];
  for (const message of batch.messages) {
    const parsed = jobMessage.safeParse(message.body);
    if (parsed.success && jobQueueOf(parsed.data.kind) === queue) {
      good.push({ message, body: parsed.data });
      continue;
    }
    await setAside(batch.queue, message, deps);
  }
  return good;
}

/** An unreadable message becomes a dead letter at once; it is retried only if filing fails. */
export async function setAside(
  queue: string,
  message: Message<unknown>,
  deps: Pick<ConsumerDeps, "fileUnreadable" | "log">,
): Promise<void> {
  try {
    await deps.fileUnreadable(queue, message, {
      code: "message.unreadable",
      detail: `a message on ${queue} does not have the shape this queue carries`,
    });
    message.ack();
  } catch (error) {
    deps.log({ level: "error", message: "dead letter not filed", queue, error: text(error) });
    message.retry({ delaySeconds: STORE_RETRY_SECONDS });
  }
}

/**
 * Lets a message come again when its work is due. Waiting is no failure, but to the queue each time
 * is a retry: before those run out the message is replaced by a fresh one.
 */
export async function defer(
  queue: string,
  message: Message<unknown>,
  dueAt: number,
  deps: Pick<ConsumerDeps, "renew" | "now" | "log">,
): Promise<void> {
  const delaySeconds = Math.max(0, Math.ceil((dueAt - deps.now()) / 1000));
  if (message.attempts >= RENEW_AFTER) {
    try {
      await deps.renew(queue, message.body, delaySeconds);
      message.ack();
      return;
    } catch (error) {
      deps.log({ level: "warn", message: "message not renewed", queue, error: text(error) });
    }
  }
  message.retry({ delaySeconds });
}

/** Runs `work` over the items, at most `width` at a time, in order. `work` must not throw. */
export async function inWaves<T, R>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  for (let at = 0; at < items.length; at += width) {
    results.push(...(await Promise.all(items.slice(at, at + width).map(work))));
  }
  return results;
}

export const text = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
