import type { Bar } from "./bar.ts";
import { hasSameValues } from "./same-bar.ts";

/** A stored bar and its source's new values for the same period. */
interface BarRevision {
  readonly before: Bar;
  readonly after: Bar;
}

/** The changes of a batch in a series, oldest first. */
export interface BarsMerge {
  readonly added: readonly Bar[];
  readonly revised: readonly BarRevision[];
  readonly unchanged: number;
}

/**
 * Compares a batch with the stored bars, both keyed by timestamp. Merging the same batch again
 * changes nothing. Of two incoming bars with one timestamp the later wins, as if they had come in
 * two batches.
 */
export const mergeBars = (
  existing: ReadonlyMap<number, Bar>,
  incoming: readonly Bar[],
): BarsMerge => {
  const latest = new Map(incoming.map((bar) => [bar.timestamp, bar]));
  const added: Bar[] = [];
  const revised: BarRevision[] = [];
  let unchanged = 0;
  for (const after of [...latest.values()].sort((a, b) => a.timestamp - b.timestamp)) {
    const before = existing.get(after.timestamp);
    if (before === undefined) added.push(after);
    else if (hasSameValues(before, after)) unchanged += 1;
    else revised.push({ before, after });
  }
  return { added, revised, unchanged };
};
