import type { Divergence } from "../events/catalogue.ts";

export type DivergenceKind = Divergence["kind"];
export type RepairAction = "republish" | "rebuild" | "reset";

/** Projected position of a stream in the read model. No row there is version 0. */
export interface ProjectedPosition {
  readonly streamId: string;
  readonly version: number;
  /** The rolling hash at that version; null where it was unknown when rows began to carry it. */
  readonly hash: string | null;
  /** The read model does not contain it: it is a stream only if its log has an event. */
  readonly supposed?: boolean;
}

/** Head of a stream's log. */
export interface LogHead {
  readonly version: number;
  /**
   * The log's hash at the projected version; null when the log is shorter, undefined when it keeps
   * no hashes.
   */
  readonly hashAtPosition: string | null | undefined;
  /**
   * When the first event after the projected position occurred, epoch ms; null when there is none.
   */
  readonly waitingSince: number | null;
}

/** Where a read model and its log disagree, before it has a place in a run. */
export type Finding = Omit<Divergence, "reconciliationId">;

/**
 * The parts of the read model a finding may be about: its tables, the projected position, and the
 * log itself.
 */
export const POSITION = "streams";
export const LOG = "log";

/**
 * Compares a projected position with its log; null when they agree. Events younger than `graceMs`
 * are on their way, not stale.
 */
export function comparePosition(
  position: ProjectedPosition,
  log: LogHead,
  now: number,
  graceMs: number,
): DivergenceKind | null {
  if (position.version > log.version) return "ahead";
  if (
    position.hash !== null &&
    log.hashAtPosition !== undefined &&
    position.hash !== log.hashAtPosition
  )
    return "corrupted";
  if (position.version === log.version || log.waitingSince === null) return null;
  if (log.waitingSince > now - graceMs) return null;
  return position.version === 0 ? "missing" : "stale";
}

/** Number of rows of a table that differ from the log's. */
export interface Differences {
  readonly missing: number;
  /** Written by an older event than the last one for the row. */
  readonly stale: number;
  /** Of the right version, with other content. */
  readonly differing: number;
  /** Of a version that implies no such row. */
  readonly unjustified: number;
  /** Of a version beyond everything that has been projected. */
  readonly ahead: number;
}

export const NO_DIFFERENCES: Differences = {
  missing: 0,
  stale: 0,
  differing: 0,
  unjustified: 0,
  ahead: 0,
};

export const addDifferences = (one: Differences, other: Differences): Differences => ({
  missing: one.missing + other.missing,
  stale: one.stale + other.stale,
  differing: one.differing + other.differing,
  unjustified: one.unjustified + other.unjustified,
  ahead: one.ahead + other.ahead,
});

/** The worst kind of a table's row differences, or null without any. */
export function kindOfRows(d: Differences): DivergenceKind | null {
  if (d.differing + d.unjustified > 0) return "corrupted";
  if (d.ahead > 0) return "ahead";
  if (d.missing > 0) return "missing";
  return d.stale > 0 ? "stale" : null;
}

export const describeRows = (d: Differences): string =>
  [
    [d.missing, "missing"],
    [d.stale, "older than they should be"],
    [d.differing, "with other content"],
    [d.unjustified, "that no event implies"],
    [d.ahead, "of versions beyond the log"],
  ]
    .filter(([count]) => count !== 0)
    .map(([count, what]) => `${count} row(s) ${what}`)
    .join(", ");

/**
 * The repair for findings of these kinds. Rows of a stream that is projected do not come back by
 * publishing it again.
 */
export function actionFor(findings: readonly Pick<Finding, "kind" | "projection">[]): RepairAction {
  if (findings.some(({ kind }) => kind === "corrupted" || kind === "ahead")) return "reset";
  return findings.every(({ kind, projection }) => kind === "stale" && projection === POSITION)
    ? "republish"
    : "rebuild";
}
