/**
 * The stages of a rebuild: built as a shadow table, compared with the live one, switched, and the
 * old one dropped.
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

/** Manual actions of a rebuild: the states that allow each, and the state after it. */
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

/** Number of rows that the live table and the rebuilt one do not share, and some of them. */
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

/** Progress of a rebuild between two of its steps. */
export interface RebuildCursor {
  readonly phase: "build" | "compare";
  /** Streams, or the owners of rows, up to here are done. */
  readonly after: string;
  /**
   * The stream whose log is being read, its version and hash so far, and the number of failed
   * reads.
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
  /** True if it switches automatically after the comparison. */
  readonly auto: boolean;
  readonly step: number;
  readonly cursor: RebuildCursor;
  readonly difference: TableDifference;
  /** W3C Trace Context of its request; null for rebuilds from before it was stored. */
  readonly traceparent: string | null;
}
