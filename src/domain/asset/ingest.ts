import type { MarketDataFact, Parted } from "../events/catalogue.ts";
import type { NewEvent } from "../events/envelope.ts";
import { splitByBytes } from "../events/split.ts";
import { toFact } from "./bar-fact.ts";
import type { BarsMerge } from "./merge-bars.ts";

/** What a merge of new bars means as facts: nothing new is no event, much is several, none over a message's size. */
export function ingestEvents(
  merge: Pick<BarsMerge, "added" | "revised">,
  about: Omit<MarketDataFact, keyof Parted>,
): NewEvent[] {
  const ingested = splitByBytes(merge.added.map(toFact));
  const revised = splitByBytes(
    merge.revised.map(({ before, after }) => ({ before: toFact(before), after: toFact(after) })),
  );
  const parts = ingested.length + revised.length;
  return [
    ...ingested.map(
      (bars, index): NewEvent => ({
        eventType: "MarketDataIngested",
        payload: { ...about, part: index + 1, parts, bars },
      }),
    ),
    ...revised.map(
      (revisions, index): NewEvent => ({
        eventType: "MarketDataRevised",
        payload: { ...about, part: ingested.length + index + 1, parts, revisions },
      }),
    ),
  ];
}
