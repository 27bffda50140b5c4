import type { AssetFact } from "../domain/events/catalogue.ts";
import type { AssetType } from "../domain/market/asset-type.ts";
import type { Reader } from "../reader.ts";

export interface AssetRecord extends Omit<AssetFact, "archived"> {
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly archivedAt: number | null;
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
}

const toAssetRecord = (row: AssetRow): AssetRecord => ({
  symbol: row.symbol,
  type: row.type,
  currency: row.currency,
  calendar: row.calendar,
  source: row.source,
  live: row.live === 1,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  archivedAt: row.archived_at,
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

export function writeAsset(db: D1Database, asset: AssetRecord): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO assets (symbol, type, currency, calendar, source, live, created_at, updated_at, archived_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (symbol) DO UPDATE SET type = excluded.type, currency = excluded.currency, calendar = excluded.calendar,
         source = excluded.source, live = excluded.live, updated_at = excluded.updated_at, archived_at = excluded.archived_at`,
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
    );
}

export async function loadAssets(db: Reader, symbols: readonly string[]): Promise<AssetRecord[]> {
  const { results } = await db
    .prepare("SELECT * FROM assets WHERE symbol IN (SELECT value FROM json_each(?))")
    .bind(JSON.stringify(symbols))
    .all<AssetRow>();
  return results.map(toAssetRecord);
}

/** Assets after a symbol in symbol order; archived ones are left out. */
export async function listAssets(db: Reader, after: string, limit: number): Promise<AssetRecord[]> {
  const { results } = await db
    .prepare("SELECT * FROM assets WHERE symbol > ? AND archived_at IS NULL ORDER BY symbol LIMIT ?")
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

/** One page of the symbols a schedule's calendar covers: live, not archived, asked from a source. */
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
