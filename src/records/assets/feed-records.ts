import type { Resolution } from "../../domain/market/resolution.ts";
import type { FeedChange, FeedTrouble } from "../../domain/quality/feed.ts";
import type { Reader } from "../../reader.ts";

/** Of the rows that a series' source told of closed markets, so many of the newest are kept. */
const MAX_OFF_SESSION = 250;

/**
 * Statements that keep what an answer, or the lack of one, says of how a series is fed. Again is
 * once.
 */
export function writeFeed(
  db: D1Database,
  symbol: string,
  resolution: Resolution,
  { trouble, source, offSession }: FeedChange,
  now: number,
): D1PreparedStatement[] {
  const series = [symbol, resolution] as const;
  return [
    trouble === null
      ? db
          .prepare(
            "DELETE FROM feed_notes WHERE symbol = ? AND kind = 'trouble' AND resolution = ?",
          )
          .bind(...series)
      : db
          .prepare(
            `INSERT INTO feed_notes (symbol, kind, resolution, at, source, outcome, detail, noted_at)
             VALUES (?1, 'trouble', ?2, 0, ?3, ?4, ?5, ?6)
             ON CONFLICT (symbol, kind, resolution, at) DO UPDATE SET source = ?3, outcome = ?4, detail = ?5,
               noted_at = CASE WHEN outcome = ?4 THEN noted_at ELSE ?6 END`,
          )
          .bind(...series, source, trouble.outcome, trouble.detail, now),
    ...(offSession.length === 0 ? [] : keepOffSession(db, series, source, offSession, now)),
  ];
}

const keepOffSession = (
  db: D1Database,
  series: readonly [string, Resolution],
  source: string,
  instants: readonly number[],
  now: number,
): D1PreparedStatement[] => [
  db
    .prepare(
      `INSERT OR IGNORE INTO feed_notes (symbol, kind, resolution, at, source, noted_at)
       SELECT ?1, 'offSession', ?2, value, ?3, ?4 FROM json_each(?5)`,
    )
    .bind(
      ...series,
      source,
      now,
      JSON.stringify(instants.toSorted((a, b) => a - b).slice(-MAX_OFF_SESSION)),
    ),
  db
    .prepare(
      `DELETE FROM feed_notes WHERE symbol = ?1 AND kind = 'offSession' AND resolution = ?2 AND at <
         (SELECT min(at) FROM (SELECT at FROM feed_notes
            WHERE symbol = ?1 AND kind = 'offSession' AND resolution = ?2 ORDER BY at DESC LIMIT ?3))`,
    )
    .bind(...series, MAX_OFF_SESSION),
];

/** Forgets how the series of an asset were fed; for one that is not asked for any more. */
export const forgetFeed = (db: D1Database, symbol: string): D1PreparedStatement =>
  db.prepare("DELETE FROM feed_notes WHERE symbol = ?").bind(symbol);

/**
 * Instants (epoch ms, both ends included, oldest first) of rows that were left out of a series; at
 * most those that are kept.
 */
export async function offSessionBetween(
  db: Reader,
  symbol: string,
  resolution: Resolution,
  from: number,
  to: number,
): Promise<number[]> {
  const { results } = await db
    .prepare(
      `SELECT at FROM feed_notes
       WHERE symbol = ? AND kind = 'offSession' AND resolution = ? AND at BETWEEN ? AND ? ORDER BY at LIMIT ?`,
    )
    .bind(symbol, resolution, from, to, MAX_OFF_SESSION)
    .all<{ at: number }>();
  return results.map(({ at }) => at);
}

/** Why a series gets no bars; `since` is epoch ms. */
export interface NotedTrouble {
  readonly symbol: string;
  readonly resolution: Resolution;
  readonly outcome: FeedTrouble;
  readonly detail: string;
  readonly since: number;
}

/** What keeps the series of assets from being fed; at most one of a series. */
export async function feedTroubles(
  db: Reader,
  symbols: readonly string[],
): Promise<NotedTrouble[]> {
  const { results } = await db
    .prepare(
      `SELECT symbol, resolution, outcome, detail, noted_at AS since FROM feed_notes
       WHERE symbol IN (SELECT value FROM json_each(?)) AND kind = 'trouble' ORDER BY symbol, resolution LIMIT 2000`,
    )
    .bind(JSON.stringify(symbols))
    .all<NotedTrouble>();
  return results;
}
