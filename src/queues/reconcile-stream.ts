import type { StoredEvent } from "../domain/events/envelope.ts";
import { GENESIS } from "../domain/events/rolling-hash.ts";
import type { LogPage } from "../domain/reconciliation/check-chain.ts";
import {
  type Differences,
  type Finding,
  LOG,
  type LogHead,
  type Mark,
} from "../domain/reconciliation/divergence.ts";
import type { Cursor, Run, Step, Walk } from "../domain/reconciliation/run.ts";
import { text } from "./consumer.ts";

/** What events imply beside what is there. */
export interface Comparison {
  readonly differences: Readonly<Record<string, Differences>>;
  /** The newest of the events of which some row bears witness that it was projected; 0 when none does. */
  readonly witness: number;
}

/** What lies beyond everything that is known to be projected. */
export interface Leftovers {
  readonly mark: Pick<Mark, "version" | "hash">;
  readonly differences: Readonly<Record<string, Differences>>;
  /** The last version the feed has of the stream. */
  readonly feedVersion: number;
}

export interface WalkDeps {
  readonly now: () => number;
  /** How long an event may be on its way before the read model counts as stale. */
  readonly graceMs: number;
  readonly mark: (streamId: string) => Promise<Mark>;
  readonly head: (mark: Mark) => Promise<LogHead & { readonly inFeed: boolean }>;
  readonly readLog: (streamId: string, after: number) => Promise<LogPage>;
  /** One statement per table. Throws when only newer code knows one of the events. */
  readonly compare: (streamId: string, events: readonly StoredEvent[]) => Promise<Comparison>;
  /** Rows beyond `witness` and, if the mark can be trusted, beyond the mark as it is now. */
  readonly leftovers: (streamId: string, witness: number, trusted: boolean) => Promise<Leftovers>;
  readonly log: (entry: Readonly<Record<string, unknown>>) => void;
}

/** Failed reads of one log, or checks begun anew, before the stream is left for the next run. */
export const MOST_TRIES = 5;
export const RETRY_SECONDS = 5;
/** Turns to a stream: how far it is projected and how far its log reaches. `before` is the walk that begins anew. */
export async function beginWalk(
  run: Run,
  streamId: string,
  before: Walk | null,
  deps: WalkDeps,
): Promise<Step> {
  const mark = await deps.mark(streamId);
  const head = await attempt(() => deps.head(mark), streamId, deps);
  if (head === null) return leave(run, streamId, { unreachable: 1 });
  const tries = before?.phase === "check" || before?.phase === "reset" ? before.tries + 1 : 0;
  if (tries > MOST_TRIES) return leave(run, streamId, { unreachable: 1 });
  const walk: Walk = {
    streamId,
    phase: "check",
    round: before?.round ?? 0,
    after: 0,
    hash: GENESIS,
    target: head.version,
    head: head.version,
    inFeed: head.inFeed,
    mark: { version: mark.version, hash: mark.hash },
    markHash: mark.version === 0 ? GENESIS : null,
    witness: { version: 0, hash: GENESIS },
    waitingSince: head.waitingSince,
    differences: {},
    action: before?.action ?? "republish",
    tries,
  };
  return { cursor: withWalk(run, walk) };
}

/** A finding about the log itself: nothing can be repaired from it. */
export const logFinding = (walk: Walk, detail: string, kind: Finding["kind"] = "corrupted"): Finding => ({
  stream: walk.streamId,
  projection: LOG,
  kind,
  logVersion: walk.head,
  readVersion: walk.mark.version,
  detail,
});

export const withWalk = (run: Run, walk: Walk): Cursor => ({ ...run.cursor, walk });

/** Turns away from the stream in hand. */
export function leave(
  run: Run,
  streamId: string,
  counts: Step["counts"] = {},
  findings: readonly Finding[] = [],
): Step {
  const todo = run.cursor.todo.filter((other) => other !== streamId);
  return { cursor: { ...run.cursor, todo, walk: null }, findings, counts };
}

/** A log that cannot be read delays no other stream. */
export async function attempt<T>(
  read: () => Promise<T>,
  streamId: string,
  deps: WalkDeps,
): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    deps.log({ level: "warn", message: "log not readable", streamId, error: text(error) });
    return null;
  }
}
