import {
  decideProcess,
  type ProcessCommand,
  type StepOutcome,
} from "../../domain/process/decide.ts";
import { definitionOf, type ProcessKind } from "../../domain/process/kinds.ts";
import type { ProcessRecord } from "../../domain/process/process.ts";
import { evolveProcess, type ProcessFact } from "../../domain/process/state.ts";
import { within, workContext } from "../../domain/trace/log-context.ts";
import { continueTrace } from "../../domain/trace/traceparent.ts";
import { type ConsumerDeps, inWaves, outcomeOfThrow, setAside, text } from "../consumer.ts";
import { type ProcessMessage, processMessage } from "../messages.ts";

/**
 * Does the step in work of a process, or takes it back (`progress.direction` says which). It may be
 * called again after it had its effect, so every effect goes by the process and the step: done
 * twice is done once.
 */
export type StepAction = (process: ProcessRecord) => Promise<StepOutcome>;

export interface ProcessesDeps
  extends Pick<ConsumerDeps, "now" | "random" | "log" | "trace" | "fileUnreadable"> {
  readonly load: (id: string) => Promise<ProcessRecord | null>;
  /**
   * Writes the progress, and what the facts mean to the audit, over the version it was decided on;
   * false if that is gone.
   */
  readonly save: (process: ProcessRecord, facts: readonly ProcessFact[]) => Promise<boolean>;
  readonly send: (message: ProcessMessage, delaySeconds: number) => Promise<void>;
  readonly actions: Readonly<Record<ProcessKind, StepAction>>;
}

/** Longer than any action takes; a worker that died is waited for that long. */
const LEASE_MS = 60_000;
/** How many processes of a batch are worked on at once; a Worker has six connections. */
const AT_ONCE = 3;
const STORE_RETRY_SECONDS = 15;

/**
 * Carries processes on, one step a message. The step is taken in hand before its action and let go
 * after it, each time over the version that was read, so that of several workers one does it and
 * one outcome counts. Nothing here throws.
 */
export async function consumeProcesses(
  batch: MessageBatch<unknown>,
  deps: ProcessesDeps,
): Promise<void> {
  await inWaves(batch.messages, AT_ONCE, async (message) => {
    const parsed = processMessage.safeParse(message.body);
    if (!parsed.success) return setAside(batch.queue, message, deps);
    try {
      const again = await carryOn(parsed.data, deps);
      if (again === null) message.ack();
      else message.retry({ delaySeconds: again });
    } catch (error) {
      const { processId, traceparent } = parsed.data;
      const log = within(deps.log, workContext({ processId }, traceparent));
      log({ level: "error", message: "process not carried on", error: text(error) });
      message.retry({ delaySeconds: STORE_RETRY_SECONDS });
    }
  });
}

/** Null when the message has served, or the seconds after which it is worth coming again. */
async function carryOn(message: ProcessMessage, given: ProcessesDeps): Promise<number | null> {
  const { processId: id } = message;
  const found = await given.load(id);
  if (found === null) return null;
  // The record says which trace it is; of one from before traces were carried the messages hand it
  // on.
  const traceparent = continueTrace(found.traceparent ?? message.traceparent, given.trace);
  const process = { ...found, traceparent };
  const deps = { ...given, log: within(given.log, workContext({ processId: id }, traceparent)) };
  const startedAt = deps.now();
  const taken = decided(process, { do: "begin", at: startedAt, leaseUntil: startedAt + LEASE_MS });
  if ("refused" in taken) {
    // Somebody has it in hand, or had and died: then this message is what goes on.
    const { leaseUntil } = process.progress;
    const isLeased = taken.refused === "leased" && leaseUntil !== null;
    return isLeased ? Math.max(1, Math.ceil((leaseUntil - startedAt) / 1000)) : null;
  }
  if (!(await deps.save(taken.after, taken.facts))) return null;
  const isLeased = { ...taken.after, version: process.version + 1 };
  const outcome = await act(isLeased, deps);
  const settled = decided(isLeased, {
    do: "settle",
    startedAt,
    at: deps.now(),
    random: deps.random(),
    outcome,
  });
  if ("refused" in settled) throw new Error(`a step in hand was refused: ${settled.refused}`);
  if (!(await deps.save(settled.after, settled.facts))) {
    deps.log({ level: "warn", message: "process moved on without its worker" });
    return null;
  }
  const { dueAt } = settled.after.progress;
  if (dueAt !== null) {
    await deps.send(
      { processId: id, traceparent },
      Math.max(0, Math.ceil((dueAt - deps.now()) / 1000)),
    );
  }
  return null;
}

/** A process after a command with the facts that it made true, or why it made none. */
export function decided(
  process: ProcessRecord,
  command: ProcessCommand,
):
  | { readonly after: ProcessRecord; readonly facts: readonly ProcessFact[] }
  | { readonly refused: string } {
  const definition = definitionOf(process.kind);
  const facts = decideProcess(definition, process.progress, command);
  if ("refused" in facts) return facts;
  const progress = facts.reduce(
    (state, fact) => evolveProcess(definition, state, fact),
    process.progress,
  );
  return { after: { ...process, progress }, facts };
}

async function act(process: ProcessRecord, deps: ProcessesDeps): Promise<StepOutcome> {
  try {
    return await deps.actions[process.kind](process);
  } catch (error) {
    deps.log({ level: "warn", message: "process step failed", error: text(error) });
    return outcomeOfThrow(error);
  }
}
