import type { JobRequest } from "../domain/job/job.ts";
import { jobId, portfolioOf } from "../domain/job/job.ts";
import { type JobKind, orderedParams } from "../domain/job/job-kinds.ts";
import { jitterSeconds } from "../domain/schedule/jitter.ts";
import { continueTrace, traceIdOf } from "../domain/trace/traceparent.ts";
import { type ConsumerDeps, setAside, text } from "./consumer.ts";
import { type ScheduleMessage, scheduleMessage } from "./messages.ts";

/** A slot on its way into jobs: what its schedule says, and how far it has come. */
export interface OpenSlot {
  readonly scheduleId: string;
  readonly slot: number;
  readonly cursor: string | null;
  readonly kind: JobKind;
  /** Only assets with a recommendation at its horizon, to judge it. */
  readonly onlyDue: boolean;
  readonly jitterSeconds: number;
}

/** Symbols in order, and the one after which to go on; null when there are no more. */
export interface SymbolPage {
  readonly symbols: readonly string[];
  readonly next: string | null;
}

type DelayedJob = JobRequest & { readonly delaySeconds: number };

export interface ScheduleDeps extends Pick<ConsumerDeps, "log" | "trace" | "fileUnreadable"> {
  /** The slot, or null when it is finished (or was never claimed). */
  readonly openSlot: (scheduleId: string, slot: number) => Promise<OpenSlot | null>;
  /**
   * Up to `limit` subjects (symbols, a portfolio's, a ranked resolution) of the slot's target after
   * the cursor, in their order; maybe none, and yet more behind.
   */
  readonly symbols: (slot: OpenSlot, after: string, limit: number) => Promise<SymbolPage>;
  /**
   * One transaction: records the jobs and moves the slot from its cursor past them; a null `next`
   * ends it. False when somebody else has moved it meanwhile.
   */
  readonly record: (
    slot: OpenSlot,
    jobs: readonly DelayedJob[],
    next: string | null,
  ) => Promise<boolean>;
  readonly enqueueJobs: (jobs: readonly DelayedJob[]) => Promise<void>;
  readonly enqueuePage: (page: ScheduleMessage) => Promise<void>;
}

/** Jobs of one page: one queue batch, and far below what one invocation may do. */
const PAGE = 100;
const RETRY_SECONDS = 5;

/**
 * Turns a slot into jobs, a page at a time, each page ordering the next. The slot's own row says
 * where the fan-out stands, so a doubled page orders nothing twice and a lost one is sent again by
 * the next tick.
 */
export async function consumeSchedule(
  batch: MessageBatch<unknown>,
  deps: ScheduleDeps,
): Promise<void> {
  for (const message of batch.messages) {
    const parsed = scheduleMessage.safeParse(message.body);
    if (!parsed.success) {
      await setAside(batch.queue, message, deps);
      continue;
    }
    try {
      await fanOutPage(parsed.data, deps);
      message.ack();
    } catch (error) {
      deps.log({
        level: "error",
        message: "fan-out page failed",
        ...about(parsed.data),
        error: text(error),
      });
      message.retry({ delaySeconds: RETRY_SECONDS });
    }
  }
}

const about = ({ scheduleId, slot, traceparent }: ScheduleMessage) => ({
  scheduleId,
  slot,
  traceId: traceIdOf(traceparent),
});

async function fanOutPage(page: ScheduleMessage, deps: ScheduleDeps): Promise<void> {
  const slot = await deps.openSlot(page.scheduleId, page.slot);
  if (slot === null) return;
  const { symbols, next } = await deps.symbols(slot, slot.cursor ?? "", PAGE);
  const traceparent = continueTrace(page.traceparent, deps.trace);
  const jobs = symbols.map((symbol) => request(slot, symbol, traceparent));
  const moved = await deps.record(slot, jobs, next);
  // A doubled page stops here, or it would start a second chain of pages.
  if (!moved) return;
  if (next !== null) await deps.enqueuePage(page);
  await deps.enqueueJobs(jobs);
}

function request(slot: OpenSlot, symbol: string, traceparent: string): DelayedJob {
  const at = new Date(slot.slot).toISOString();
  // Making one and judging older ones are two pieces of work, even for the same moment.
  const id = jobId(slot.kind, portfolioOf(symbol) ?? symbol, slot.onlyDue ? `resolve:${at}` : at);
  return {
    id,
    kind: slot.kind,
    symbol,
    resolution: "1d",
    params: orderedParams(slot.kind, slot.slot),
    slot: slot.slot,
    scheduleId: slot.scheduleId,
    correlationId: id,
    causationId: null,
    actor: "scheduler",
    traceparent,
    delaySeconds: jitterSeconds(id, slot.jitterSeconds),
  };
}
