/**
 * Max bytes of a payload's list as JSON. A queue message holds 128,000 bytes and CloudEvents asks
 * that events stay under 64 KiB, so that every intermediary forwards them.
 */
const MAX_LIST_BYTES = 56_000;

/**
 * Cuts a list into runs whose JSON stays under the limit, in order. One item over the limit gets a
 * run of its own.
 */
export function splitByBytes<T>(items: readonly T[], limit = MAX_LIST_BYTES): T[][] {
  const runs: T[][] = [];
  let run: T[] = [];
  let bytes = 0;
  for (const item of items) {
    // Bars and values are ASCII, so characters are bytes here.
    const size = JSON.stringify(item).length + 1;
    if (run.length > 0 && bytes + size > limit) {
      runs.push(run);
      run = [];
      bytes = 0;
    }
    run.push(item);
    bytes += size;
  }
  if (run.length > 0) runs.push(run);
  return runs;
}
