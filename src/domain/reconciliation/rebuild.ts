/**
 * A rebuild's way: built beside the live table, compared with it, put in its place, and at last
 * alone.
 */
export const REBUILD_STATES = [
  "building",
  "comparing",
  "ready",
  "switched",
  "finished",
  "rolled_back",
  "cancelled",
  "failed",
] as const;
export type RebuildState = (typeof REBUILD_STATES)[number];

export const REBUILD_ACTS = ["switch", "finish", "rollback", "cancel"] as const;
export type RebuildAct = (typeof REBUILD_ACTS)[number];

/** What a person may do with a rebuild in which state, and what it is afterwards. */
const ACTS: Readonly<
  Record<RebuildAct, { readonly from: readonly RebuildState[]; readonly to: RebuildState }>
> = {
  switch: { from: ["ready"], to: "switched" },
  finish: { from: ["switched"], to: "finished" },
  rollback: { from: ["switched"], to: "rolled_back" },
  cancel: { from: ["building", "comparing", "ready", "failed"], to: "cancelled" },
};

/** The state after an act, or null when it may not be done now. */
export const afterAct = (state: RebuildState, act: RebuildAct): RebuildState | null =>
  ACTS[act].from.includes(state) ? ACTS[act].to : null;

/** How many rows the live table and the rebuilt one do not share, and some of them. */
export interface TableDifference {
  readonly onlyLive: number;
  readonly onlyRebuilt: number;
  readonly different: number;
  readonly examples: readonly { readonly what: string; readonly key: string }[];
}

export const NO_TABLE_DIFFERENCE: TableDifference = {
  onlyLive: 0,
  onlyRebuilt: 0,
  different: 0,
  examples: [],
};

export const MAX_EXAMPLES = 20;

export const addTableDifference = (
  one: TableDifference,
  other: TableDifference,
): TableDifference => ({
  onlyLive: one.onlyLive + other.onlyLive,
  onlyRebuilt: one.onlyRebuilt + other.onlyRebuilt,
  different: one.different + other.different,
  examples: [...one.examples, ...other.examples].slice(0, MAX_EXAMPLES),
});

/** Where a rebuild stands between two of its steps. */
export interface RebuildCursor {
  readonly phase: "build" | "compare";
  /** Streams, or the owners of rows, up to here are done. */
  readonly after: string;
  /**
   * The stream whose log is being read, how far, the log's hash there, and how often reading it has
   * failed.
   */
  readonly stream: {
    readonly streamId: string;
    readonly after: number;
    readonly hash: string;
    readonly tries: number;
  } | null;
}

export const FIRST_REBUILD_CURSOR: RebuildCursor = { phase: "build", after: "", stream: null };

/** A rebuild that is under way. */
export interface Rebuild {
  readonly id: string;
  readonly projection: string;
  readonly state: RebuildState;
  /** Whether it switches by itself when it has been compared. */
  readonly auto: boolean;
  readonly step: number;
  readonly cursor: RebuildCursor;
  readonly difference: TableDifference;
  /** W3C Trace Context of what ordered it; null for rebuilds of before it was carried. */
  readonly traceparent: string | null;
}
