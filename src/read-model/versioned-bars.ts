import type { Bar } from "../domain/asset/bar.ts";
import { assetStream } from "../domain/events/envelope.ts";
import type { Resolution } from "../domain/market/resolution.ts";
import type { Reader } from "../reader.ts";

/** Which bars: epoch ms, both included; the newest `limit`. */
export interface BarsQuery {
  readonly resolution: Resolution;
  readonly from: number | null;
  readonly to: number | null;
  readonly limit: number;
}

/** Rows of one transaction: what it answers is held as text and as rows for a moment. */
const PAGE = 5_000;

/** A series that changes while it is read is read again so often. */
const TRIES = 3;

/** The series was written while it was read, each time; trying again later helps. */
export class SeriesMoved extends Error {
  override readonly name = "SeriesMoved";
  readonly code = "stream.version_conflict";
}

/**
 * Bars of one asset, oldest first, with the version of its stream that all of them are true of.
 * Each page is read in one transaction with the version; when that is another than the first
 * page's, everything is read again.
 */
export async function versionedBars(
  db: Reader,
  symbol: string,
  query: BarsQuery,
): Promise<{ readonly version: number; readonly bars: Bar[] }> {
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const read = await readPages(db, symbol, query);
    if (read !== null) return read;
  }
  throw new SeriesMoved(`the bars of ${symbol} changed while they were read, ${TRIES} times`);
}

async function readPages(db: Reader, symbol: string, { resolution, from, to, limit }: BarsQuery) {
  const pages: Bar[][] = [];
  let until = to ?? Number.MAX_SAFE_INTEGER;
  let version: number | null = null;
  let left = limit;
  while (left > 0) {
    const size = Math.min(PAGE, left);
    const [position, rows] = await db.batch<Record<string, unknown>>([
      db
        .prepare("SELECT projected_version AS version FROM streams WHERE stream_id = ?")
        .bind(assetStream(symbol)),
      db
        .prepare(
          `SELECT timestamp, open, high, low, close, volume FROM bars
           WHERE symbol = ?1 AND resolution = ?2 AND timestamp BETWEEN ?3 AND ?4 ORDER BY timestamp DESC LIMIT ?5`,
        )
        .bind(symbol, resolution, from ?? Number.MIN_SAFE_INTEGER, until, size),
    ]);
    const now = Number(position?.results[0]?.["version"] ?? 0);
    if (version !== null && version !== now) return null;
    version = now;
    const bars = (rows?.results ?? []) as unknown as Bar[];
    pages.push(bars);
    left -= bars.length;
    const oldest = bars.at(-1);
    if (bars.length < size || oldest === undefined) break;
    until = oldest.timestamp - 1;
  }
  return { version: version ?? 0, bars: pages.flat().reverse() };
}
