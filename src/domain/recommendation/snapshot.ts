import type { Trend } from "../analysis/trend.ts";
import type { IndicatorValues } from "../indicators/values.ts";
import type { AssetType } from "../market/asset-type.ts";
import type { Resolution } from "../market/resolution.ts";
import type { TrackRecordCounts } from "./track-record-state.ts";

/**
 * Everything a recommendation may rest on, frozen at one bar. Its canonical JSON is what gets
 * hashed: the same snapshot is the same question. It contains every number that a recommendation
 * cites.
 */
export interface Snapshot {
  readonly symbol: string;
  readonly assetType: AssetType;
  readonly resolution: Resolution;
  /** Timestamp of the latest bar, epoch milliseconds. */
  readonly asOf: number;
  readonly close: number;
  /** Price source; "synthetic" means that the prices are made up. */
  readonly source: string;
  readonly values: IndicatorValues;
  readonly trend: Trend;
  readonly trackRecord: TrackRecordCounts;
  /**
   * Recorded splits that the stored bars still show and that were taken out of all these numbers.
   */
  readonly splits: number;
  readonly engine: "rules";
  readonly engineVersion: string;
}
