import type { StoredEvent } from "../events/envelope.ts";
import type { Differences, Finding, ProjectedPosition, RepairAction } from "./divergence.ts";

/** Depth of a run: heads and hashes only, or every row too. */
export const DEPTHS = ["bulk", "deep"] as const;
export type Depth = (typeof DEPTHS)[number];

/** State of a run between two of its steps. */
export interface Run {
  readonly id: string;
  /** Counts the steps: a worker that continues the run names its step, and only one can take it. */
  readonly step: number;
  readonly depth: Depth;
  readonly repair: boolean;
  /** Only these assets, or everything. */
  readonly symbols: readonly string[] | null;
  readonly cursor: Cursor;
  readonly actor: string;
  /** W3C Trace Context of its request; null for runs from before it was stored. */
  readonly traceparent: string | null;
  /** Number of events it has recorded. */
  readonly facts: number;
  /** Epoch ms. */
  readonly startedAt: number;
}

export interface Cursor {
  /** bulk: heads, page by page · rotation: streams whose rows were checked longest ago · end. */
  readonly phase: "bulk" | "rotation" | "end";
  /** Streams up to here have been compared. */
  readonly after: string;
  /** Streams whose rows are to be checked before the next page. */
  readonly todo: readonly string[];
  readonly walk: Walk | null;
}

export const FIRST: Cursor = { phase: "bulk", after: "", todo: [], walk: null };

interface Head {
  readonly version: number;
  readonly hash: string;
}

/**
 * One stream's walk through a run: its log is read page by page and compared with the read model
 * (check), and after a repair (demote, write, finish, republish, wait) it is checked again: only
 * that proves the repair.
 */
export interface Walk {
  readonly streamId: string;
  readonly phase: "check" | "reset" | "demote" | "write" | "finish" | "republish" | "wait";
  /** Number of its repairs in this run. */
  readonly round: number;
  /** The log is read up to here, and its hash is this. */
  readonly after: number;
  readonly hash: string;
  /** The walk's phase ends at this version. */
  readonly target: number;
  /** Head version of the log when the walk began. */
  readonly head: number;
  /** True if the feed itself is the stream's log. */
  readonly inFeed: boolean;
  readonly position: Pick<ProjectedPosition, "version" | "hash">;
  /** The log's hash at the projected version, once the walk has reached it. */
  readonly positionHash: string | null;
  /**
   * The newest version of which rows bear witness that it was projected, with everything before it.
   */
  readonly witness: Head;
  readonly waitingSince: number | null;
  readonly differences: Readonly<Record<string, Differences>>;
  readonly action: RepairAction;
  /** Failed reads, waits, and checks restarted because the projected position moved. */
  readonly tries: number;
}

/** Changes of a step in addition to the run's own row, in the same transaction. */
export type Effect =
  | {
      /** Moves the projected position to the verified one, and removes the rows beyond it. */
      readonly kind: "reset";
      readonly streamId: string;
      readonly from: Pick<ProjectedPosition, "version" | "hash">;
      /** Null when the position is right, so that live events may move it meanwhile. */
      readonly to: Head | null;
    }
  | {
      readonly kind: "demote" | "write";
      readonly streamId: string;
      readonly events: readonly StoredEvent[];
    }
  | { readonly kind: "finish"; readonly streamId: string }
  | { readonly kind: "known"; readonly streamId: string; readonly version: number };

/** A stream found healthy: whatever was open about it is settled. */
interface Settled {
  readonly streamId: string;
  readonly version: number;
  readonly hash: string | null;
  /** The repair of this run; null when none was needed. */
  readonly action: RepairAction | null;
}

export interface Counts {
  readonly checked: number;
  readonly verified: number;
  readonly unreachable: number;
}

export const NO_COUNTS: Counts = { checked: 0, verified: 0, unreachable: 0 };

/** One step of a run, decided and not yet taken. */
export interface Step {
  readonly cursor: Cursor;
  readonly effect?: Effect;
  readonly findings?: readonly Finding[];
  readonly settled?: Settled;
  readonly counts?: Partial<Counts>;
  /** Notifies the events consumer of this stream's head. */
  readonly wakeUp?: { readonly streamId: string; readonly version: number };
  /** Wait before the next step. */
  readonly delaySeconds?: number;
  /** The run is over. */
  readonly done?: boolean;
}
