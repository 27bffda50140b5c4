import type { BarFact } from "../events/catalogue.ts";
import type { Bar } from "./bar.ts";

/** A bar as events and the API show it. */
export const toFact = (bar: Bar): BarFact => ({
  timestamp: new Date(bar.timestamp).toISOString(),
  open: bar.open,
  high: bar.high,
  low: bar.low,
  close: bar.close,
  volume: bar.volume,
});
