import type { ActionFact, BarFact, MarketDataFact, Parted } from "../events/catalogue.ts";
import type { NewEvent } from "../events/envelope.ts";
import { splitByBytes } from "../events/split.ts";
import { toActionFact } from "./action-fact.ts";
import { toFact } from "./bar-fact.ts";
import type { ActionChange } from "./corporate-action.ts";
import type { BarsMerge } from "./merge-bars.ts";

const isAction = (fact: ActionFact | BarFact): fact is ActionFact => "exDate" in fact;

/**
 * The events of a merge of new bars and actions: none if nothing is new, several if they exceed a
 * message's size.
 */
export function ingestEvents(
  merge: Pick<BarsMerge, "added" | "revised">,
  about: Omit<MarketDataFact, keyof Parted>,
  changes: readonly ActionChange[] = [],
): NewEvent[] {
  // Actions first, so that the last part has bars wherever there are bars.
  const ingested = splitByBytes<ActionFact | BarFact>([
    ...changes.map(toActionFact),
    ...merge.added.map(toFact),
  ]);
  const revised = splitByBytes(
    merge.revised.map(({ before, after }) => ({ before: toFact(before), after: toFact(after) })),
  );
  const parts = ingested.length + revised.length;
  return [
    ...ingested.map((facts, index): NewEvent => {
      const bars = facts.filter((fact): fact is BarFact => !isAction(fact));
      const actions = facts.filter(isAction);
      const payload = { ...about, part: index + 1, parts, bars, actions };
      return { eventType: "MarketDataIngested", payload };
    }),
    ...revised.map(
      (revisions, index): NewEvent => ({
        eventType: "MarketDataRevised",
        payload: { ...about, part: ingested.length + index + 1, parts, revisions },
      }),
    ),
  ];
}
