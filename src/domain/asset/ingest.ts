import type { MarketDataFact, Parted } from "../events/catalogue.ts";
import type { NewEvent } from "../events/envelope.ts";
import { splitByBytes } from "../events/split.ts";
import type { Bar } from "./bar.ts";
import { toFact } from "./bar-fact.ts";

interface Merge {
  readonly added: readonly Bar[];
  readonly revised: readonly { readonly before: Bar; readonly after: Bar }[];
}

/** What a merge of new bars means as facts: nothing new is no event, much is several, none over a message's size. */
export function ingestEvents(merge: Merge, about: Omit<MarketDataFact, keyof Parted>): NewEvent[] {
  const ingested = splitByBytes(merge.added.map(toFact));
  const revised = splitByBytes(
    merge.revised.map(({ before, after }) => ({ before: toFact(before), after: toFact(after) })),
  );
  const parts = ingested.length + revised.length;
  let part = 0;
  return [
    ...ingested.map((bars): NewEvent => {
      part += 1;
      return { eventType: "MarketDataIngested", payload: { ...about, part, parts, bars } };
    }),
    ...revised.map((revisions): NewEvent => {
      part += 1;
      return { eventType: "MarketDataRevised", payload: { ...about, part, parts, revisions } };
    }),
  ];
}
