import { MAIN_RESOLUTIONS } from "../domain/market/main-resolution.ts";
import type { RecommendationBody, RecommendedOn } from "../domain/recommendation/recommendation.ts";
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
  readonly resolution?: string | undefined;
  readonly action?: string | undefined;
  /** Epoch ms: only what the system had said by then. */
  readonly asOf?: number | undefined;
}

/**
 * What had been said by the instant `?6`: rows whose event had happened. For an asset the system
 * did not know at all by then (a history imported later, the replay of old years) the bar's own
 * date counts instead, as for the analysis.
 */
const SAID_BY = `(created_at <= ?6 OR (as_of <= ?6 AND NOT EXISTS (
  SELECT 1 FROM events WHERE stream_id = 'asset/' || recommendations.symbol AND version = 1
    AND occurred_at <= strftime('%Y-%m-%dT%H:%M:%fZ', ?6 / 1000.0, 'unixepoch'))))`;

/** Where a page begins: after this one, on the way to older ones. */
export interface RecommendationPlace {
  readonly asOf: number;
  readonly id: string;
}

const SELECT = "SELECT body, event_id, created_at FROM recommendations";
const FILTER = `(?1 IS NULL OR resolution = ?1) AND (?2 IS NULL OR action = ?2) AND (?6 IS NULL OR ${SAID_BY})`;

/** Of all assets, in the order in which they were made, the newest first: ids are UUIDv7. */
export async function listRecommendations(
  db: Reader,
  filter: RecommendationFilter,
  after: RecommendationPlace | null,
  limit: number,
): Promise<StoredRecommendation[]> {
  const { resolution = null, action = null, asOf = null } = filter;
  const { results } = await db
    .prepare(`${SELECT} WHERE ${FILTER} AND (?3 IS NULL OR id < ?3) ORDER BY id DESC LIMIT ?4`)
    .bind(resolution, action, after?.id ?? null, limit, null, asOf)
    .all<Row>();
  return results.map(toStored);
}

/** Of one asset, those of the newest bars first, whenever they were made. */
export async function listRecommendationsOf(
  db: Reader,
  symbol: string,
  filter: RecommendationFilter,
  after: RecommendationPlace | null,
  limit: number,
): Promise<StoredRecommendation[]> {
  const { resolution = null, action = null, asOf = null } = filter;
  const { results } = await db
    .prepare(
      `${SELECT} WHERE symbol = ?5 AND ${FILTER} AND (as_of, id) < (?7, ?3) ORDER BY as_of DESC, id DESC LIMIT ?4`,
    )
    .bind(
      resolution,
      action,
      after?.id ?? LAST_ID,
      limit,
      symbol,
      asOf,
      after?.asOf ?? Number.MAX_SAFE_INTEGER,
    )
    .all<Row>();
  return results.map(toStored);
}

/** Sorts after every id. */
const LAST_ID = "~";

export async function findRecommendation(
  db: Reader,
  id: string,
): Promise<StoredRecommendation | null> {
  const row = await db
    .prepare("SELECT body, event_id, created_at FROM recommendations WHERE id = ?")
    .bind(id)
    .first<Row>();
  return row === null ? null : toStored(row);
}

/**
 * The newest recommendation of each of these assets: that of the newest bar at the resolution the
 * asset is told by (`MAIN_RESOLUTIONS`), whatever was computed last.
 */
export async function newestOf(
  db: Reader,
  symbols: readonly string[],
): Promise<StoredRecommendation[]> {
  const { results } = await db
    .prepare(
      `${SELECT} WHERE id IN (
         SELECT (SELECT r.id FROM recommendations r WHERE r.symbol = s.value AND r.resolution =
             (SELECT m.value FROM json_each(?2) m
              WHERE EXISTS (SELECT 1 FROM bars b WHERE b.symbol = s.value AND b.resolution = m.value)
              ORDER BY m.key LIMIT 1)
           ORDER BY r.as_of DESC, r.id DESC LIMIT 1)
         FROM json_each(?1) s)`,
    )
    .bind(JSON.stringify(symbols), JSON.stringify(MAIN_RESOLUTIONS))
    .all<Row>();
  return results.map(toStored);
}

/**
 * What was known against the newest bars of each of these recommendations when it was made, and who
 * made it.
 */
export async function qualitiesOf(
  db: Reader,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Pick<RecommendationBody, "dataQuality" | "engineVersion">>> {
  const { results } = await db
    .prepare(
      `SELECT id, body ->> '$.engineVersion' AS engineVersion, body -> '$.dataQuality' AS quality
       FROM recommendations WHERE id IN (SELECT value FROM json_each(?))`,
    )
    .bind(JSON.stringify(ids))
    .all<{ id: string; engineVersion: string; quality: string | null }>();
  return new Map(
    results.map(({ id, engineVersion, quality }) => [
      id,
      {
        engineVersion,
        ...(quality === null ? {} : { dataQuality: JSON.parse(quality) as RecommendedOn }),
      },
    ]),
  );
}
