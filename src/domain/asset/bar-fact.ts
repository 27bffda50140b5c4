import type { BarFact } from "../events/catalogue.ts";
import type { NewEvent } from "../events/envelope.ts";
import { iso } from "../iso.ts";
import type { Bar } from "./bar.ts";

/** A bar as events and the API show it. */
export const toFact = (bar: Bar): BarFact => ({
  timestamp: iso(bar.timestamp),
  open: bar.open,
  high: bar.high,
  low: bar.low,
  close: bar.close,
  volume: bar.volume,
});

/** A bar as the analysis takes it. */
export const fromFact = (fact: BarFact): Bar => ({
  ...fact,
  timestamp: Date.parse(fact.timestamp),
});

/** The bars an event writes, with their new values; empty for other events. */
export function barsOf(event: NewEvent): readonly BarFact[] {
  switch (event.eventType) {
    case "MarketDataIngested":
      return event.payload.bars;
    case "MarketDataRevised":
      return event.payload.revisions.map(({ after }) => after);
    default:
      return [];
  }
}
