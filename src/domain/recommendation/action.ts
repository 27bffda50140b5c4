import type { Direction } from "../analysis/trend.ts";
import type { Action } from "./recommendation.ts";

/** What the rules engine recommends in a trend: one threshold decides both, so they cannot contradict each other. */
export const ACTION_IN: Readonly<Record<Direction, Action>> = { UP: "BUY", DOWN: "SELL", SIDEWAYS: "HOLD" };
