import { actionsBetween, actionsByKey, splitSteps } from "../../domain/asset/split-steps.ts";
import type { AdjustmentStep } from "../../domain/asset/total-return.ts";
import type { AssetFact } from "../../domain/events/catalogue.ts";
import type { Resolution } from "../../domain/market/resolution.ts";
import { calendarOf } from "../../domain/market/usual-calendar.ts";
import { ANALYSIS_VERSION, matchesState } from "../../domain/recommendation/analysis-state.ts";
import type { AssetDatabase } from "./asset-database.ts";

/** More splits no share has had. */
const MAX_ACTIONS = 200;

/** The splits on record that the stored bars of a resolution still show, oldest first. */
export function knownSplits(
  { actions, bars }: Pick<AssetDatabase, "actions" | "bars">,
  asset: AssetFact,
  resolution: Resolution,
): AdjustmentStep[] {
  const byKey = actionsByKey(actions.onSplitDays(MAX_ACTIONS), resolution, calendarOf(asset));
  return splitSteps(actionsBetween(byKey, (key) => bars.closesAround(resolution, key)));
}

/**
 * A split that was told, or taken back, changes what bars of before it are, at every resolution:
 * their analysis starts over.
 */
export function splitsChanged(db: AssetDatabase, asset: AssetFact): void {
  for (const resolution of db.analysis.resolutions()) {
    const row = db.analysis.read(resolution);
    // What was made by older rules is made anew in any case.
    if (row === null || row.state.version !== ANALYSIS_VERSION) continue;
    if (matchesState(row.state, calendarOf(asset), knownSplits(db, asset, resolution))) continue;
    db.analysis.barsChangedFrom(resolution, Number.MIN_SAFE_INTEGER);
  }
}
