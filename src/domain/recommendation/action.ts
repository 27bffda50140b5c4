import type { Direction } from "../analysis/trend.ts";
import type { Action } from "./recommendation.ts";

/** The action of each trend. `decideAction` recommends it only if its record allows. */
export const ACTION_IN: Readonly<Record<Direction, Action>> = {
  UP: "BUY",
  DOWN: "SELL",
  SIDEWAYS: "HOLD",
};
