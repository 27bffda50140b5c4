import type { PricePoint } from "../domain/analysis/performance.ts";
import { assetStream } from "../domain/events/envelope.ts";
import type { Resolution } from "../domain/market/resolution.ts";
import type { Reader } from "../reader.ts";

/** Prices of one asset, oldest first, and the version of its stream that they are true of. */
interface Versioned<P> {
  readonly symbol: string;
  readonly version: number;
  readonly points: readonly P[];
}

export type VersionedCloses = Versioned<PricePoint>;
export type VersionedOpens = Versioned<PricePoint & { readonly open: number | null }>;

/** Which closes: epoch ms, both included; of each asset the newest `limit`. */
export interface ClosesQuery {
  readonly resolution: Resolution;
  readonly from: number | null;
  readonly to: number | null;
  readonly limit: number;
}

/**
 * Assets that are read in one transaction: what it answers is held twice for a moment, as text and
 * as rows.
 */
const AT_ONCE = 10;

/**
 * Closes of several assets. Those of one asset and its version are read in one transaction, so that
 * equal versions mean equal closes; between assets time may pass.
 */
export const versionedCloses = (
  db: Reader,
  symbols: readonly string[],
  query: ClosesQuery,
): Promise<VersionedCloses[]> => versionedPrices<PricePoint>(db, symbols, query, "close");

/** The same with the open of each bar, null where it is not known. */
export const versionedOpens = (
  db: Reader,
  symbols: readonly string[],
  query: ClosesQuery,
): Promise<VersionedOpens[]> => versionedPrices(db, symbols, query, "open, close");

async function versionedPrices<P>(
  db: Reader,
  symbols: readonly string[],
  { resolution, from, to, limit }: ClosesQuery,
  columns: "close" | "open, close",
): Promise<Versioned<P>[]> {
  const found: Versioned<P>[] = [];
  for (let at = 0; at < symbols.length; at += AT_ONCE) {
    const some = symbols.slice(at, at + AT_ONCE);
    const [positions, ...closes] = await db.batch<Record<string, unknown>>([
      versionsQuery(db, some),
      ...some.map((symbol) =>
        db
          .prepare(
            `SELECT timestamp, ${columns} FROM bars WHERE symbol = ?1 AND resolution = ?2 AND timestamp BETWEEN ?3 AND ?4
             ORDER BY timestamp DESC LIMIT ?5`,
          )
          .bind(
            symbol,
            resolution,
            from ?? Number.MIN_SAFE_INTEGER,
            to ?? Number.MAX_SAFE_INTEGER,
            limit,
          ),
      ),
    ]);
    const versions = versionsIn((positions?.results ?? []) as unknown as PositionRow[]);
    for (const [index, symbol] of some.entries()) {
      const points = (closes[index]?.results ?? []) as unknown as P[];
      found.push({ symbol, version: versions.get(symbol) ?? 0, points: points.toReversed() });
    }
  }
  return found;
}

/**
 * The versions of these assets' streams as they are projected, in the order of the symbols; 0 where
 * there is none.
 */
export async function projectedVersions(db: Reader, symbols: readonly string[]): Promise<number[]> {
  const { results } = await versionsQuery(db, symbols).all<PositionRow>();
  const versions = versionsIn(results);
  return symbols.map((symbol) => versions.get(symbol) ?? 0);
}

interface PositionRow {
  readonly symbol: string;
  readonly version: number;
}

const versionsQuery = (db: Reader, symbols: readonly string[]): D1PreparedStatement =>
  db
    .prepare(
      `SELECT value AS symbol, projected_version AS version FROM json_each(?1) JOIN streams ON stream_id = ?2 || value`,
    )
    .bind(JSON.stringify(symbols), assetStream(""));

const versionsIn = (rows: readonly PositionRow[]): ReadonlyMap<string, number> =>
  new Map(rows.map(({ symbol, version }) => [symbol, version]));

/** How many bars of one asset there are in a range, up to `limit`. */
export async function countBars(db: Reader, symbol: string, query: ClosesQuery): Promise<number> {
  const { resolution, from, to, limit } = query;
  const row = await db
    .prepare(
      `SELECT count(*) AS bars FROM (SELECT 1 FROM bars
       WHERE symbol = ?1 AND resolution = ?2 AND timestamp BETWEEN ?3 AND ?4 LIMIT ?5)`,
    )
    .bind(symbol, resolution, from ?? Number.MIN_SAFE_INTEGER, to ?? Number.MAX_SAFE_INTEGER, limit)
    .first<{ bars: number }>();
  return row?.bars ?? 0;
}
