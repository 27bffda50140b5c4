import type { EventLog } from "../event-log.ts";
import type { ActionStore } from "./action-store.ts";
import type { AnalysisStore } from "./analysis-store.ts";
import type { AssetRecord } from "./asset-record.ts";
import type { BarStore } from "./bar-store.ts";
import type { OpenRecommendations } from "./open-recommendations.ts";

/** The parts of one asset's database, handed to the functions that make up a commit. */
export interface AssetDatabase {
  readonly sql: SqlStorage;
  readonly asset: AssetRecord;
  readonly log: EventLog;
  readonly bars: BarStore;
  readonly actions: ActionStore;
  readonly analysis: AnalysisStore;
  readonly openRecommendations: OpenRecommendations;
}
