import type { PlainBar } from "../workload/bars.ts";
import { barKeyOf, foldBars, isMarketData } from "./fold.ts";
import type { Invariant } from "./list.ts";
import { difference, type LoggedObject, type View } from "./view.ts";

/**
 * The reference: take the accepted files that were imported, in the order in which they were
 * committed, and write each bar over the one before. The bars of an asset that is only fed by
 * import are exactly these.
 */
export const imports: Invariant = {
  name: "bars equal the accepted files",
  check: (view) => {
    const faults: string[] = [];
    for (const { jobId, file } of view.ledger.imports) {
      const state = view.jobs.get(jobId)?.state;
      if (file.bars === null && state === "succeeded")
        faults.push(`${jobId} took a file with an impossible row`);
    }
    for (const object of view.assets) {
      const known = object.events
        .filter(isMarketData)
        .every(({ jobId }) => jobId?.includes("|import:"));
      if (known) faults.push(...(expectBars(view, object) ?? []));
    }
    return faults;
  },
};

function expectBars(view: View, object: LoggedObject): string[] | null {
  const expected = new Map<string, string>();
  for (const { jobId, bars } of committed(view, object)) {
    if (bars === undefined) return null;
    if (bars === null) return [`${jobId} wrote bars of a file that must be refused`];
    for (const bar of bars)
      expected.set(
        barKeyOf("1d", bar.timestamp),
        JSON.stringify([bar.open, bar.high, bar.low, bar.close, bar.volume]),
      );
  }
  const found = [...foldBars(object)].map(([key, bar]): [string, string] => [
    key,
    JSON.stringify(bar.values),
  ]);
  const fault = difference(
    `bars of ${object.host.label} against the files`,
    expected,
    new Map(found),
  );
  return fault === null ? [] : [fault];
}

/**
 * The imports an object carried out, in order: by the version they ended at, those that changed
 * nothing last.
 */
function committed(
  view: View,
  { db }: LoggedObject,
): { jobId: string; bars: readonly PlainBar[] | null | undefined }[] {
  return db
    .rows("SELECT id, result FROM consumed WHERE id LIKE '%|import:%'")
    .map(({ id, result }) => {
      const { head, added, revised } = JSON.parse(String(result)) as {
        head: number;
        added: number;
        revised: number;
      };
      return { id: String(id), order: head * 2 + (added + revised > 0 ? 0 : 1) };
    })
    .sort((a, b) => a.order - b.order)
    .map(({ id }) => ({
      jobId: id,
      bars: view.ledger.imports.find(({ jobId }) => jobId === id)?.file.bars,
    }));
}
