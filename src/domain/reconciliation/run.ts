import type { StoredEvent } from "../events/envelope.ts";
import type { Differences, Finding, ProjectedPosition, RepairAction } from "./divergence.ts";

/** How much of the read model a run looks at: heads and hashes only, or every row too. */
export const DEPTHS = ["bulk", "deep"] as const;
export type Depth = (typeof DEPTHS)[number];

/** A run as it stands between two of its steps. */
export interface Run {
  readonly id: string;
  /**
   * Counts the steps: whoever carries the run on says which step it means, and only one can take
   * it.
   */
  readonly step: number;
  readonly depth: Depth;
  readonly repair: boolean;
  /** Only these assets, or everything. */
  readonly symbols: readonly string[] | null;
  readonly cursor: Cursor;
  readonly actor: string;
  /** W3C Trace Context of what ordered it; null for runs of before it was carried. */
  readonly traceparent: string | null;
  /** How many events it has recorded. */
  readonly facts: number;
  /** Epoch ms. */
  readonly startedAt: number;
}

export interface Cursor {
  /** bulk: heads, page by page · rotation: streams whose rows were looked at longest ago · end. */
  readonly phase: "bulk" | "rotation" | "end";
  /** Streams up to here have been compared. */
  readonly after: string;
  /** Streams whose rows are to be looked at before the next page. */
  readonly todo: readonly string[];
  readonly walk: Walk | null;
}

export const FIRST: Cursor = { phase: "bulk", after: "", todo: [], walk: null };

interface Head {
  readonly version: number;
  readonly hash: string;
}

/**
 * One stream's way through a run: its log is read page by page to compare what it implies with what
 * is there (check), and after a repair (demote, write, finish, republish, wait) it is checked
 * again: only that proves the repair.
 */
export interface Walk {
  readonly streamId: string;
  readonly phase: "check" | "reset" | "demote" | "write" | "finish" | "republish" | "wait";
  /** How many repairs it has had in this run. */
  readonly round: number;
  /** The log is read up to here, and its hash is this. */
  readonly after: number;
  readonly hash: string;
  /** The walk's phase ends at this version. */
  readonly target: number;
  /** How far the log reached when the walk began. */
  readonly head: number;
  /** Whether the feed itself is the stream's log. */
  readonly inFeed: boolean;
  readonly position: Pick<ProjectedPosition, "version" | "hash">;
  /** The log's hash at the mark's version, once the walk has come that far. */
  readonly positionHash: string | null;
  /**
   * The newest version of which rows bear witness that it was projected, with everything before it.
   */
  readonly witness: Head;
  readonly waitingSince: number | null;
  readonly differences: Readonly<Record<string, Differences>>;
  readonly action: RepairAction;
  /** Failed reads, waits, and checks begun anew because the mark moved. */
  readonly tries: number;
}

/** What a step changes beside the run's own row, in the same transaction. */
export type Effect =
  | {
      /**
       * Moves the mark to what has been witnessed, and takes what lies beyond it out of the way.
       */
      readonly kind: "reset";
      readonly streamId: string;
      readonly from: Pick<ProjectedPosition, "version" | "hash">;
      /** Null when the mark is right, so that live events may move it meanwhile. */
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
  /** What repaired it in this run; null when nothing had to. */
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
  /** Tells the events consumer how far this stream reaches. */
  readonly wakeUp?: { readonly streamId: string; readonly version: number };
  /** How long the next step waits. */
  readonly delaySeconds?: number;
  /** The run is over. */
  readonly done?: boolean;
}
