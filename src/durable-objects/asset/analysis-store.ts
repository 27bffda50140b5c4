import type { RecommendationContext } from "../../domain/asset/commands.ts";
import type { AssetFact } from "../../domain/events/catalogue.ts";
import { iso } from "../../domain/iso.ts";
import { barSource } from "../../domain/market/bar-source.ts";
import type { Resolution } from "../../domain/market/resolution.ts";
import { type AnalysisState, snapshotOf } from "../../domain/recommendation/analysis-state.ts";

interface Row {
  readonly state: AnalysisState;
  readonly dirtyFrom: number | null;
  readonly eventId: string | null;
  readonly version: number | null;
}

/** The analysis of each resolution: its streaming state and which event published it last. */
export class AnalysisStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  read(resolution: Resolution): Row | null {
    const row = this.#sql
      .exec<{
        state: string;
        dirty_from: number | null;
        event_id: string | null;
        version: number | null;
      }>(
        "SELECT state, dirty_from, event_id, version FROM analysis WHERE resolution = ?",
        resolution,
      )
      .toArray()[0];
    if (row === undefined) return null;
    const state = JSON.parse(row.state) as AnalysisState;
    return { state, dirtyFrom: row.dirty_from, eventId: row.event_id, version: row.version };
  }

  /** The resolutions that something has been computed for. */
  resolutions(): Resolution[] {
    const rows = this.#sql
      .exec<{ resolution: Resolution }>("SELECT resolution FROM analysis")
      .toArray();
    return rows.map(({ resolution }) => resolution);
  }

  write(resolution: Resolution, row: Omit<Row, "dirtyFrom">): void {
    this.#sql.exec(
      "INSERT OR REPLACE INTO analysis (resolution, state, dirty_from, event_id, version) VALUES (?, ?, NULL, ?, ?)",
      resolution,
      JSON.stringify(row.state),
      row.eventId,
      row.version,
    );
  }

  /**
   * Bars at or before the last analysed one have changed: the state is no longer what the bars
   * imply.
   */
  barsChangedFrom(resolution: Resolution, timestamp: number): void {
    this.#sql.exec(
      `UPDATE analysis SET dirty_from = min(coalesce(dirty_from, ?1), ?1)
       WHERE resolution = ?2 AND ?1 <= json_extract(state, '$.lastTimestamp')`,
      timestamp,
      resolution,
    );
  }

  context(asset: AssetFact, resolution: Resolution, version: number): RecommendationContext | null {
    const row = this.read(resolution);
    if (row === null || row.dirtyFrom !== null || row.eventId === null || row.version === null)
      return null;
    const { first } = this.#sql
      .exec<{ first: number | null }>(
        "SELECT min(timestamp) AS first FROM bars WHERE resolution = ?",
        resolution,
      )
      .one();
    const snapshot = snapshotOf(row.state, { symbol: asset.symbol, source: barSource(asset) });
    if (snapshot === null || first === null) return null;
    return {
      snapshot,
      version,
      basedOn: {
        eventId: row.eventId,
        version: row.version,
        bars: {
          from: iso(first),
          to: iso(snapshot.asOf),
          count: row.state.bars,
        },
      },
    };
  }
}
