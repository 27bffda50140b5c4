import type { ActionFact } from "../events/catalogue.ts";
import type { NewEvent } from "../events/envelope.ts";
import { isoDay } from "../iso.ts";
import type { ActionChange, CorporateAction } from "./corporate-action.ts";

/** A change as events show it. */
export function toActionFact({ before, after }: ActionChange): ActionFact {
  const exDate = isoDay(after.exDate);
  if (after.type === "dividend") {
    const { type, amount } = after;
    return { type, exDate, amount, before: before?.type === "dividend" ? before.amount : null };
  }
  const { type, numerator, denominator } = after;
  const was =
    before?.type === "split"
      ? { numerator: before.numerator, denominator: before.denominator }
      : null;
  return { type, exDate, numerator, denominator, before: was };
}

/** An action as it stands after the event that told it. */
export function fromActionFact(fact: ActionFact): CorporateAction {
  const exDate = Date.parse(fact.exDate);
  return fact.type === "dividend"
    ? { type: fact.type, exDate, amount: fact.amount }
    : { type: fact.type, exDate, numerator: fact.numerator, denominator: fact.denominator };
}

/** The actions an event tells; none for events about anything else. */
export const actionsOf = (event: NewEvent): readonly ActionFact[] =>
  event.eventType === "MarketDataIngested" ? event.payload.actions : [];
