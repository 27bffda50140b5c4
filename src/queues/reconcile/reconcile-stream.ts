import type { StoredEvent } from "../../domain/events/envelope.ts";
import { GENESIS } from "../../domain/events/rolling-hash.ts";
import type { LogPage } from "../../domain/reconciliation/check-chain.ts";
import {
  type Differences,
  type Finding,
  LOG,
  type LogHead,
  type ProjectedPosition,
} from "../../domain/reconciliation/divergence.ts";
import type { Cursor, Run, Step, Walk } from "../../domain/reconciliation/run.ts";
import { text } from "../consumer.ts";

/** What events imply beside what is there. */
interface Comparison {
  readonly differences: Readonly<Record<string, Differences>>;
  /**
   * The newest of the events of which some row bears witness that it was projected; 0 when none
   * does.
   */
  readonly witness: number;
}

/** What lies beyond everything that is known to be projected. */
export interface Leftovers {
  readonly position: Pick<ProjectedPosition, "version" | "hash">;
  readonly differences: Readonly<Record<string, Differences>>;
  /** The last version the feed has of the stream. */
  readonly feedVersion: number;
}

export interface WalkDeps {
  readonly now: () => number;
  /** How long an event may be on its way before the read model counts as stale. */
  readonly graceMs: number;
  readonly position: (streamId: string) => Promise<ProjectedPosition>;
  readonly head: (position: ProjectedPosition) => Promise<LogHead & { readonly inFeed: boolean }>;
  readonly readLog: (streamId: string, after: number) => Promise<LogPage>;
  /** One statement per table. Throws when only newer code knows one of the events. */
  readonly compare: (streamId: string, events: readonly StoredEvent[]) => Promise<Comparison>;
  /** Rows beyond `witness` and, if the mark can be trusted, beyond the mark as it is now. */
  readonly leftovers: (streamId: string, witness: number, trusted: boolean) => Promise<Leftovers>;
  readonly log: (entry: Readonly<Record<string, unknown>>) => void;
}

/** Failed reads of one log, or checks begun anew, before the stream is left for the next run. */
export const MAX_ATTEMPTS = 5;
export const RETRY_SECONDS = 5;
/**
 * Turns to a stream: how far it is projected and how far its log reaches. `before` is the walk that
 * begins anew.
 */
export async function beginWalk(
  run: Run,
  streamId: string,
  before: Walk | null,
  deps: WalkDeps,
): Promise<Step> {
  const position = await deps.position(streamId);
  const head = await attempt(() => deps.head(position), streamId, deps);
  if (head === null) return leave(run, streamId, { unreachable: 1 });
  const tries = before?.phase === "check" || before?.phase === "reset" ? before.tries + 1 : 0;
  if (tries > MAX_ATTEMPTS) return leave(run, streamId, { unreachable: 1 });
  const walk: Walk = {
    streamId,
    phase: "check",
    round: before?.round ?? 0,
    after: 0,
    hash: GENESIS,
    target: head.version,
    head: head.version,
    inFeed: head.inFeed,
    position: { version: position.version, hash: position.hash },
    positionHash: position.version === 0 ? GENESIS : null,
    witness: { version: 0, hash: GENESIS },
    waitingSince: head.waitingSince,
    differences: {},
    action: before?.action ?? "republish",
    tries,
  };
  return { cursor: withWalk(run, walk) };
}

/** A finding about the log itself: nothing can be repaired from it. */
export const logFinding = (
  walk: Walk,
  detail: string,
  kind: Finding["kind"] = "corrupted",
): Finding => ({
  stream: walk.streamId,
  projection: LOG,
  kind,
  logVersion: walk.head,
  readVersion: walk.position.version,
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
