import type { MarketDataFact, Parted } from "../events/catalogue.ts";
import type { NewEvent } from "../events/envelope.ts";
import { splitByBytes } from "../events/split.ts";
import type { Bar } from "./bar.ts";
import { toFact } from "./bar-fact.ts";

interface Merge {
  readonly added: readonly Bar[];
  readonly revised: readonly { readonly before: Bar; readonly after: Bar }[];
}

/** One event and the bars that it writes. */
export interface IngestCommit {
  readonly event: NewEvent;
  readonly bars: readonly Bar[];
}

/** What a merge of new bars means as facts: nothing new is no event, much is several, none over a message's size. */
export function ingestEvents(merge: Merge, about: Omit<MarketDataFact, keyof Parted>): IngestCommit[] {
  const ingested = splitByBytes(merge.added.map(toFact));
  const revised = splitByBytes(
    merge.revised.map(({ before, after }) => ({ before: toFact(before), after: toFact(after) })),
  );
  const parts = ingested.length + revised.length;
  let part = 0;
  let addedBefore = 0;
  let revisedBefore = 0;
  return [
    ...ingested.map((bars): IngestCommit => {
      part += 1;
      addedBefore += bars.length;
      return {
        event: { eventType: "MarketDataIngested", payload: { ...about, part, parts, bars } },
        bars: merge.added.slice(addedBefore - bars.length, addedBefore),
      };
    }),
    ...revised.map((revisions): IngestCommit => {
      part += 1;
      revisedBefore += revisions.length;
      return {
        event: { eventType: "MarketDataRevised", payload: { ...about, part, parts, revisions } },
        bars: merge.revised.slice(revisedBefore - revisions.length, revisedBefore).map(({ after }) => after),
      };
    }),
  ];
}
