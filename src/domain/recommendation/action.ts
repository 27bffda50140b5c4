import type { Direction } from "../analysis/trend.ts";
import type { Action } from "./recommendation.ts";

/** What a trend calls for; whether it is recommended `decideAction` decides by its record. */
export const ACTION_IN: Readonly<Record<Direction, Action>> = {
  UP: "BUY",
  DOWN: "SELL",
  SIDEWAYS: "HOLD",
};
