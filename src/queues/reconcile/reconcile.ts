import * as z from "zod";
import {
  comparePosition,
  type Finding,
  type LogHead,
  POSITION,
  type ProjectedPosition,
} from "../../domain/reconciliation/divergence.ts";
import type { Run, Step } from "../../domain/reconciliation/run.ts";
import { type LogContext, within, workContext } from "../../domain/trace/log-context.ts";
import { continueTrace } from "../../domain/trace/traceparent.ts";
import { type ConsumerDeps, setAside, text } from "../consumer.ts";
import { type ReconcileMessage, rebuildMessage, reconcileMessage } from "../messages.ts";
import { carryOnRebuild, type RebuildDeps } from "./rebuild.ts";
import { beginWalk, type WalkDeps } from "./reconcile-stream.ts";
import { walkOn } from "./reconcile-walk.ts";

export interface ReconcileDeps
  extends WalkDeps,
    Pick<ConsumerDeps, "log" | "trace" | "fileUnreadable"> {
  /** The run, or null when it is finished. */
  readonly load: (id: string) => Promise<Run | null>;
  /**
   * Marks of the streams after one, in the order of their ids; assets and breakers that have no
   * mark included.
   */
  readonly marksAfter: (streamId: string, limit: number) => Promise<readonly ProjectedPosition[]>;
  readonly marksOf: (symbols: readonly string[]) => Promise<readonly ProjectedPosition[]>;
  /** The heads of these streams' logs; one that cannot be reached is left out. */
  readonly heads: (
    positions: readonly ProjectedPosition[],
  ) => Promise<ReadonlyMap<string, LogHead>>;
  /** Which of these streams have divergences that are not repaired. */
  readonly divergedOf: (streamIds: readonly string[]) => Promise<ReadonlySet<string>>;
  /** Streams whose rows were compared longest ago, before an instant (epoch ms). */
  readonly leastVerified: (before: number) => Promise<readonly string[]>;
  /**
   * Takes a step: one transaction. `lost` when somebody else has taken it; `moved` when the
   * stream's mark is not where the step found it.
   */
  readonly take: (run: Run, step: Step) => Promise<"taken" | "lost" | "moved">;
  readonly send: (message: ReconcileMessage, delaySeconds: number) => Promise<void>;
}

/** Streams whose heads one message compares; each is a call of an object. */
export const PAGE = 100;
/** Steps of walks that one message takes; each reads at most 1 MB of log. */
const STEPS = 5;
const RETRY_SECONDS = 10;

/**
 * Carries reconciliations and rebuilds on, a bounded piece per message, each piece ordering the
 * next. The run's own row says where it stands, so a doubled message does nothing and a lost one is
 * sent again by the sweep.
 */
export async function consumeReconcile(
  batch: MessageBatch<unknown>,
  deps: ReconcileDeps,
  rebuilds: RebuildDeps,
): Promise<void> {
  for (const message of batch.messages) {
    const parsed = z.union([reconcileMessage, rebuildMessage]).safeParse(message.body);
    if (!parsed.success) {
      await setAside(batch.queue, message, deps);
      continue;
    }
    try {
      if ("rebuildId" in parsed.data) await carryOnRebuild(parsed.data, rebuilds);
      else await carryOn(parsed.data, deps);
      message.ack();
    } catch (error) {
      const { traceparent, ...work } = parsed.data;
      const log = within(deps.log, workContext<LogContext>(work, traceparent));
      log({ level: "error", message: "reconciliation step failed", error: text(error) });
      message.retry({ delaySeconds: RETRY_SECONDS });
    }
  }
}

async function carryOn(message: ReconcileMessage, given: ReconcileDeps): Promise<void> {
  const { reconciliationId } = message;
  let expected = message.step;
  let delaySeconds = 0;
  let { traceparent } = message;
  let deps = given;
  for (let taken = 0; taken < STEPS; taken++) {
    const found = await given.load(reconciliationId);
    // Finished, or in other hands: a doubled message must not start a second chain of messages.
    if (found === null || found.step !== expected) return;
    if (taken === 0) {
      // The row says which trace it is; of a run from before traces were carried the messages hand
      // it on.
      traceparent = continueTrace(found.traceparent ?? traceparent, given.trace);
      deps = { ...given, log: within(given.log, workContext({ reconciliationId }, traceparent)) };
    }
    const run = { ...found, traceparent: traceparent ?? null };
    const step = await nextStep(run, deps);
    const outcome = await deps.take(run, step);
    if (outcome === "lost") return;
    const { walk } = run.cursor;
    if (outcome === "moved" && walk !== null) {
      if ((await deps.take(run, await beginWalk(run, walk.streamId, walk, deps))) !== "taken")
        return;
    }
    expected += 1;
    if (step.done === true) return;
    delaySeconds = step.delaySeconds ?? 0;
    if (delaySeconds > 0 || run.cursor.todo.length + (walk === null ? 0 : 1) === 0) break;
  }
  await deps
    .send({ reconciliationId, step: expected, traceparent }, delaySeconds)
    .catch((error: unknown) => {
      deps.log({
        level: "warn",
        message: "wake-up message lost; the sweep sends it again",
        error: text(error),
      });
    });
}

async function nextStep(run: Run, deps: ReconcileDeps): Promise<Step> {
  const { cursor } = run;
  if (cursor.walk !== null) return walkOn(run, cursor.walk, deps);
  const next = cursor.todo[0];
  if (next !== undefined) {
    const begun = await beginWalk(run, next, null, deps);
    // Nothing has changed yet, so the first page is part of the same step.
    return begun.cursor.walk === null
      ? begun
      : walkOn({ ...run, cursor: begun.cursor }, begun.cursor.walk, deps);
  }
  switch (cursor.phase) {
    case "bulk":
      return comparePage(run, deps);
    case "rotation":
      return { cursor: { ...cursor, phase: "end", todo: await deps.leastVerified(run.startedAt) } };
    case "end":
      return { cursor, done: true };
  }
}

/** Compares the heads of one page of streams with how far, and to what, they are projected. */
async function comparePage(run: Run, deps: ReconcileDeps): Promise<Step> {
  const positions =
    run.symbols === null
      ? await deps.marksAfter(run.cursor.after, PAGE)
      : await deps.marksOf(run.symbols);
  const heads = await deps.heads(positions);
  const streams = positions.filter(
    ({ streamId, supposed }) => !supposed || heads.get(streamId)?.version !== 0,
  );
  const now = deps.now();
  const findings = streams.flatMap((position): Finding[] => {
    const head = heads.get(position.streamId);
    const kind = head === undefined ? null : comparePosition(position, head, now, deps.graceMs);
    return head === undefined || kind === null ? [] : [positionFinding(position, head, kind)];
  });
  const suspects = new Set(findings.map(({ stream }) => stream));
  for (const stream of await deps.divergedOf(streams.map(({ streamId }) => streamId)))
    suspects.add(stream);
  const todo = streams
    .filter(
      ({ streamId, version, hash }) =>
        heads.has(streamId) &&
        (run.depth === "deep" || suspects.has(streamId) || (version > 0 && hash === null)),
    )
    .map(({ streamId }) => streamId);
  const more = run.symbols === null && positions.length === PAGE;
  const afterwards = run.symbols === null && run.depth === "bulk" ? "rotation" : "end";
  return {
    cursor: {
      phase: more ? "bulk" : afterwards,
      after: positions.at(-1)?.streamId ?? run.cursor.after,
      todo,
      walk: null,
    },
    findings,
    counts: {
      checked: streams.filter(({ streamId }) => heads.has(streamId)).length,
      unreachable: positions.length - heads.size,
    },
  };
}

const positionFinding = (
  position: ProjectedPosition,
  log: LogHead,
  kind: Finding["kind"],
): Finding => ({
  stream: position.streamId,
  projection: POSITION,
  kind,
  logVersion: log.version,
  readVersion: position.version,
  detail:
    kind === "corrupted"
      ? `at version ${position.version} the read model has another hash than the log`
      : `the log reaches version ${log.version}, the read model says ${position.version}`,
});
