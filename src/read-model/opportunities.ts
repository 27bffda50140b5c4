import { rankingStream } from "../domain/events/envelope.ts";
import type { AssetType } from "../domain/market/asset-type.ts";
import type { Candidate, RankedResolution, RankingBody } from "../domain/ranking/ranking.ts";
import type { Action } from "../domain/recommendation/recommendation.ts";
import type { Reader } from "../reader.ts";

interface CandidateRow {
  symbol: string;
  type: AssetType;
  calendar: string;
  has_bars: number;
  id: string | null;
  as_of: number;
  action: Action;
  close: number;
  confidence: number;
  base_rate: number;
  trend_score: number | null;
  volatility: number | null;
  engine: string;
}

const toCandidate = (row: CandidateRow): Candidate => ({
  symbol: row.symbol,
  assetType: row.type,
  calendar: row.calendar,
  hasBars: row.has_bars === 1,
  recommendation:
    row.id === null
      ? null
      : {
          recommendationId: row.id,
          asOf: row.as_of,
          close: row.close,
          action: row.action,
          confidence: row.confidence,
          baseRate: row.base_rate,
          trendScore: row.trend_score,
          volatility: row.volatility,
          engine: row.engine,
        },
});

/**
 * One page of the live assets, by symbol, each with its newest recommendation that has not come to
 * its horizon: one that has is no opportunity any more. Reads some forty rows per asset.
 */
export async function rankingCandidates(
  db: D1Database,
  resolution: RankedResolution,
  after: string,
  limit: number,
): Promise<Candidate[]> {
  const { results } = await db
    .prepare(
      `SELECT a.symbol, a.type, a.calendar, r.id, r.as_of, r.action, r.body ->> '$.close' AS close,
         r.body ->> '$.confidence' AS confidence, r.body ->> '$.baseRate' AS base_rate,
         r.body ->> '$.trend.score' AS trend_score, r.body ->> '$.engine' AS engine,
         i."values" ->> '$.volatility30' AS volatility,
         EXISTS (SELECT 1 FROM bars WHERE bars.symbol = a.symbol AND bars.resolution = ?1) AS has_bars
       FROM (SELECT symbol, type, calendar FROM assets
             WHERE symbol > ?2 AND live = 1 AND archived_at IS NULL ORDER BY symbol LIMIT ?3) AS a
       LEFT JOIN recommendations AS r ON r.id =
         (SELECT t.id FROM track_record AS t
          WHERE t.symbol = a.symbol AND t.resolution = ?1 AND t.outcome IS NULL
          ORDER BY t.as_of DESC, t.version DESC LIMIT 1)
       LEFT JOIN indicators AS i ON i.symbol = a.symbol AND i.resolution = ?1 AND i.timestamp = r.as_of
       ORDER BY a.symbol`,
    )
    .bind(resolution, after, limit)
    .all<CandidateRow>();
  return results.map(toCandidate);
}

/** A ranking as it stands in its stream. */
export interface StoredRanking {
  readonly eventId: string;
  readonly version: number;
  readonly occurredAt: string;
  readonly jobId: string | null;
  readonly body: RankingBody;
}

interface RankingRow {
  event_id: string;
  version: number;
  occurred_at: string;
  job_id: string | null;
  payload: string;
}

const COLUMNS = "event_id, version, occurred_at, job_id, body ->> '$.payload' AS payload";

const toRanking = (row: RankingRow): StoredRanking => ({
  eventId: row.event_id,
  version: row.version,
  occurredAt: row.occurred_at,
  jobId: row.job_id,
  body: JSON.parse(row.payload) as RankingBody,
});

/**
 * Slots may be worked off out of order: of the newest few events the one made for the latest moment
 * is the newest.
 */
const MAX_OUT_OF_ORDER = 10;

/**
 * The newest ranking; with `said` (ISO-8601) the newest that had been made by then, with `before`
 * the newest made for an earlier moment of the market.
 */
export async function latestRanking(
  db: Reader,
  resolution: RankedResolution,
  {
    said = null,
    before = null,
  }: { readonly said?: string | null; readonly before?: string | null } = {},
): Promise<StoredRanking | null> {
  const row = await db
    .prepare(
      `SELECT ${COLUMNS} FROM (SELECT * FROM events WHERE stream_id = ?1 AND (?2 IS NULL OR occurred_at <= ?2)
                               ORDER BY version DESC LIMIT ${MAX_OUT_OF_ORDER})
       WHERE ?3 IS NULL OR body ->> '$.payload.asOf' < ?3
       ORDER BY body ->> '$.payload.asOf' DESC, version DESC LIMIT 1`,
    )
    .bind(rankingStream(resolution), said, before)
    .first<RankingRow>();
  return row === null ? null : toRanking(row);
}

export async function rankingAt(
  db: Reader,
  resolution: RankedResolution,
  version: number,
): Promise<StoredRanking | null> {
  const row = await db
    .prepare(`SELECT ${COLUMNS} FROM events WHERE stream_id = ?1 AND version = ?2`)
    .bind(rankingStream(resolution), version)
    .first<RankingRow>();
  return row === null ? null : toRanking(row);
}

export async function rankingById(db: Reader, eventId: string): Promise<StoredRanking | null> {
  const row = await db
    .prepare(`SELECT ${COLUMNS} FROM events WHERE event_id = ?`)
    .bind(eventId)
    .first<RankingRow>();
  return row === null ? null : toRanking(row);
}
