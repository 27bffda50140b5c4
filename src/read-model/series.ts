import type { Bar } from "../domain/asset/bar.ts";
import type { IndicatorValues } from "../domain/indicators/values.ts";
import { RESOLUTIONS, type Resolution } from "../domain/market/resolution.ts";
import type { Reader } from "../reader.ts";

export interface StoredBar extends Bar {
  readonly source: string;
}

/** Bars from `from` to `to`, both included, oldest first. */
export async function listBars(
  db: Reader,
  symbol: string,
  resolution: Resolution,
  from: number,
  to: number,
  limit: number,
): Promise<StoredBar[]> {
  const { results } = await db
    .prepare(
      `SELECT timestamp, open, high, low, close, volume, source FROM bars
       WHERE symbol = ? AND resolution = ? AND timestamp BETWEEN ? AND ? ORDER BY timestamp LIMIT ?`,
    )
    .bind(symbol, resolution, from, to, limit)
    .all<StoredBar>();
  return results;
}

/** Bars of a page, and up to `warmUp` bars before it, each oldest first; all as of one moment. */
export async function barsWithWarmUp(
  db: Reader,
  {
    symbol,
    resolution,
    from,
    to,
  }: { symbol: string; resolution: Resolution; from: number; to: number },
  limit: number,
  warmUp: number,
): Promise<{ readonly before: Bar[]; readonly page: Bar[] }> {
  const columns = "timestamp, open, high, low, close, volume";
  const range = "symbol = ?1 AND resolution = ?2 AND timestamp BETWEEN ?3 AND ?4";
  const [page, before] = await db.batch<Bar>([
    db
      .prepare(`SELECT ${columns} FROM bars WHERE ${range} ORDER BY timestamp LIMIT ?5`)
      .bind(symbol, resolution, from, to, limit),
    db
      .prepare(
        `SELECT ${columns} FROM bars WHERE symbol = ?1 AND resolution = ?2
           AND timestamp < (SELECT min(timestamp) FROM bars WHERE ${range}) ORDER BY timestamp DESC LIMIT ?5`,
      )
      .bind(symbol, resolution, from, to, warmUp),
  ]);
  return { before: (before?.results ?? []).toReversed(), page: page?.results ?? [] };
}

/** The latest `limit` bars up to an instant, oldest first. */
export async function latestBars(
  db: Reader,
  symbol: string,
  resolution: Resolution,
  until: number,
  limit: number,
): Promise<Bar[]> {
  const { results } = await db
    .prepare(
      `SELECT timestamp, open, high, low, close, volume FROM bars
       WHERE symbol = ? AND resolution = ? AND timestamp <= ? ORDER BY timestamp DESC LIMIT ?`,
    )
    .bind(symbol, resolution, until, limit)
    .all<Bar>();
  return results.reverse();
}

/** Bars from an instant on, oldest first: the newest or the oldest `limit` of them. */
export async function barsFrom(
  db: Reader,
  symbol: string,
  resolution: Resolution,
  {
    from,
    which,
    limit,
  }: { readonly from: number; readonly which: "newest" | "oldest"; readonly limit: number },
): Promise<Bar[]> {
  const { results } = await db
    .prepare(
      `SELECT timestamp, open, high, low, close, volume FROM bars
       WHERE symbol = ? AND resolution = ? AND timestamp >= ? ORDER BY timestamp ${which === "newest" ? "DESC" : "ASC"} LIMIT ?`,
    )
    .bind(symbol, resolution, from, limit)
    .all<Bar>();
  return which === "newest" ? results.reverse() : results;
}

/** The latest `limit` closes up to an instant, oldest first. */
export async function latestCloses(
  db: Reader,
  symbol: string,
  resolution: Resolution,
  until: number,
  limit: number,
): Promise<{ timestamp: number; close: number }[]> {
  const { results } = await db
    .prepare(
      `SELECT timestamp, close FROM bars
       WHERE symbol = ? AND resolution = ? AND timestamp <= ? ORDER BY timestamp DESC LIMIT ?`,
    )
    .bind(symbol, resolution, until, limit)
    .all<{ timestamp: number; close: number }>();
  return results.reverse();
}

/** Indicator values from `from` to `to`, both included, oldest first. */
export async function listIndicators(
  db: Reader,
  symbol: string,
  resolution: Resolution,
  from: number,
  to: number,
  limit: number,
): Promise<{ timestamp: number; values: IndicatorValues }[]> {
  const { results } = await db
    .prepare(
      `SELECT timestamp, "values" FROM indicators
       WHERE symbol = ? AND resolution = ? AND timestamp BETWEEN ? AND ? ORDER BY timestamp LIMIT ?`,
    )
    .bind(symbol, resolution, from, to, limit)
    .all<{ timestamp: number; values: string }>();
  return results.map((row) => ({
    timestamp: row.timestamp,
    values: JSON.parse(row.values) as IndicatorValues,
  }));
}

/** The newest indicator values at or before an instant. */
export async function indicatorsAt(
  db: Reader,
  symbol: string,
  resolution: Resolution,
  until: number,
): Promise<{ timestamp: number; values: IndicatorValues } | null> {
  const row = await db
    .prepare(
      `SELECT timestamp, "values" FROM indicators
       WHERE symbol = ? AND resolution = ? AND timestamp <= ? ORDER BY timestamp DESC LIMIT 1`,
    )
    .bind(symbol, resolution, until)
    .first<{ timestamp: number; values: string }>();
  return row === null
    ? null
    : { timestamp: row.timestamp, values: JSON.parse(row.values) as IndicatorValues };
}

/** The resolutions an asset has bars in: one seek for each, however long the series are. */
export async function resolutionsOf(db: Reader, symbol: string): Promise<Resolution[]> {
  const { results } = await db
    .prepare(
      `SELECT value AS resolution FROM json_each(?2)
       WHERE EXISTS (SELECT 1 FROM bars WHERE bars.symbol = ?1 AND bars.resolution = value)`,
    )
    .bind(symbol, JSON.stringify(RESOLUTIONS))
    .all<{ resolution: Resolution }>();
  return results.map(({ resolution }) => resolution);
}
