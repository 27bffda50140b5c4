import type { RecommendationBody } from "../domain/recommendation/recommendation.ts";
import type { Reader } from "../reader.ts";

export interface StoredRecommendation {
  readonly body: RecommendationBody;
  readonly eventId: string;
  readonly createdAt: number;
}

interface Row {
  body: string;
  event_id: string;
  created_at: number;
}

const toStored = (row: Row): StoredRecommendation => ({
  body: JSON.parse(row.body) as RecommendationBody,
  eventId: row.event_id,
  createdAt: row.created_at,
});

export interface RecommendationFilter {
  readonly symbol?: string | undefined;
  readonly resolution?: string | undefined;
  readonly action?: string | undefined;
  /** Epoch ms: only what the system had said by then. */
  readonly asOf?: number | undefined;
}

/**
 * What had been said by the instant `?6`: rows whose event had happened. For an asset the system did not know at all by
 * then (a history imported later, the replay of old years) the bar's own date counts instead, as for the analysis.
 */
const SAID_BY = `(created_at <= ?6 OR (as_of <= ?6 AND NOT EXISTS (
  SELECT 1 FROM events WHERE stream_id = 'asset/' || recommendations.symbol AND version = 1
    AND occurred_at <= strftime('%Y-%m-%dT%H:%M:%fZ', ?6 / 1000.0, 'unixepoch'))))`;

/** Newest first, before an id: ids are UUIDv7, so their order is that of creation. */
export async function listRecommendations(
  db: Reader,
  filter: RecommendationFilter,
  before: string | null,
  limit: number,
): Promise<StoredRecommendation[]> {
  const bySymbol = filter.symbol === undefined ? "?1 IS NULL" : "symbol = ?1";
  const { results } = await db
    .prepare(
      `SELECT body, event_id, created_at FROM recommendations
       WHERE ${bySymbol} AND (?2 IS NULL OR id < ?2) AND (?3 IS NULL OR resolution = ?3) AND (?4 IS NULL OR action = ?4)
         AND (?6 IS NULL OR ${SAID_BY})
       ORDER BY id DESC LIMIT ?5`,
    )
    .bind(
      filter.symbol ?? null,
      before,
      filter.resolution ?? null,
      filter.action ?? null,
      limit,
      filter.asOf ?? null,
    )
    .all<Row>();
  return results.map(toStored);
}

export async function findRecommendation(db: Reader, id: string): Promise<StoredRecommendation | null> {
  const row = await db
    .prepare("SELECT body, event_id, created_at FROM recommendations WHERE id = ?")
    .bind(id)
    .first<Row>();
  return row === null ? null : toStored(row);
}

/** The newest recommendation of each of these assets, whatever the resolution. */
export async function newestOf(db: Reader, symbols: readonly string[]): Promise<StoredRecommendation[]> {
  const { results } = await db
    .prepare(
      `SELECT body, event_id, created_at FROM recommendations
       WHERE id IN (SELECT (SELECT max(r.id) FROM recommendations r WHERE r.symbol = value) FROM json_each(?))`,
    )
    .bind(JSON.stringify(symbols))
    .all<Row>();
  return results.map(toStored);
}
