import type { AssetFact } from "../../domain/events/catalogue.ts";
import type { AssetType } from "../../domain/market/asset-type.ts";
import type { Reader } from "../../reader.ts";

export interface AssetRecord extends Omit<AssetFact, "archived"> {
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly archivedAt: number | null;
}

/**
 * An asset as it lies in the table; `version` is that of its object's stream when it was told this.
 */
export interface StoredAsset extends AssetRecord {
  readonly version: number;
}

interface AssetRow {
  symbol: string;
  type: AssetType;
  currency: string;
  calendar: string;
  source: string;
  live: number;
  created_at: number;
  updated_at: number;
  archived_at: number | null;
  version: number;
}

const toAssetRecord = (row: AssetRow): StoredAsset => ({
  symbol: row.symbol,
  type: row.type,
  currency: row.currency,
  calendar: row.calendar,
  source: row.source,
  live: row.live === 1,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  archivedAt: row.archived_at,
  version: row.version,
});

export const assetFact = (record: AssetRecord): AssetFact => ({
  symbol: record.symbol,
  type: record.type,
  currency: record.currency,
  calendar: record.calendar,
  source: record.source,
  live: record.live,
  archived: record.archivedAt !== null,
});

/**
 * What the object was found to be, as the row that somebody who told it so has not written yet, or
 * never will.
 */
export const assetAsFound = (
  found: AssetFact,
  before: AssetRecord | undefined,
  now: number,
): AssetRecord => {
  const { archived, ...fact } = found;
  return {
    ...fact,
    createdAt: before?.createdAt ?? now,
    updatedAt: Math.max(now, (before?.updatedAt ?? 0) + 1),
    archivedAt: archived ? (before?.archivedAt ?? now) : null,
  };
};

/**
 * Writes what the asset's object was told when its stream was at `version`; of two writes the later
 * one stands, in whatever order they come.
 */
export function writeAsset(db: D1Database, asset: AssetRecord, version = 0): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO assets (symbol, type, currency, calendar, source, live, created_at, updated_at, archived_at, version)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (symbol) DO UPDATE SET type = excluded.type, currency = excluded.currency, calendar = excluded.calendar,
         source = excluded.source, live = excluded.live, updated_at = max(assets.updated_at, excluded.updated_at),
         archived_at = excluded.archived_at, version = excluded.version
       WHERE excluded.version >= assets.version`,
    )
    .bind(
      asset.symbol,
      asset.type,
      asset.currency,
      asset.calendar,
      asset.source,
      asset.live ? 1 : 0,
      asset.createdAt,
      asset.updatedAt,
      asset.archivedAt,
      version,
    );
}

export async function loadAssets(db: Reader, symbols: readonly string[]): Promise<StoredAsset[]> {
  const { results } = await db
    .prepare("SELECT * FROM assets WHERE symbol IN (SELECT value FROM json_each(?))")
    .bind(JSON.stringify(symbols))
    .all<AssetRow>();
  return results.map(toAssetRecord);
}

/** Assets after a symbol in symbol order; archived ones are left out. */
export async function listAssets(db: Reader, after: string, limit: number): Promise<StoredAsset[]> {
  const { results } = await db
    .prepare(
      "SELECT * FROM assets WHERE symbol > ? AND archived_at IS NULL ORDER BY symbol LIMIT ?",
    )
    .bind(after, limit)
    .all<AssetRow>();
  return results.map(toAssetRecord);
}

/** One page of the symbols of a calendar, archived ones left out. */
export async function calendarSymbols(
  db: D1Database,
  calendar: string,
  after: string,
  limit: number,
): Promise<string[]> {
  const { results } = await db
    .prepare(
      `SELECT symbol FROM assets WHERE symbol > ?2 AND calendar = ?1 AND archived_at IS NULL
       ORDER BY symbol LIMIT ?3`,
    )
    .bind(calendar, after, limit)
    .all<{ symbol: string }>();
  return results.map(({ symbol }) => symbol);
}

/**
 * One page of the symbols a schedule's calendar covers: live, not archived, asked from a source.
 */
export async function liveSymbols(
  db: D1Database,
  calendar: string,
  after: string,
  limit: number,
): Promise<string[]> {
  const { results } = await db
    .prepare(
      `SELECT symbol FROM assets
       WHERE symbol > ?2 AND calendar = ?1 AND live = 1 AND source <> 'import' AND archived_at IS NULL
       ORDER BY symbol LIMIT ?3`,
    )
    .bind(calendar, after, limit)
    .all<{ symbol: string }>();
  return results.map(({ symbol }) => symbol);
}
