import type { Reader } from "../reader.ts";
/** How far each stream reaches and how far it is projected. */

import { webhookService } from "../domain/breaker/service.ts";
import { assetStream, breakerStream } from "../domain/events/envelope.ts";
import type { ProjectedPosition } from "../domain/reconciliation/divergence.ts";

export interface StreamHead {
  readonly streamId: string;
  readonly version: number;
}

/** A head with its rolling hash; null where earlier rows carried none. */
export interface ProjectedHead extends StreamHead {
  readonly hash: string | null;
}

/** Streams of which nothing is projected yet are left out. */
export async function projectedHeads(
  db: Reader,
  streamIds: readonly string[],
): Promise<Map<string, ProjectedHead>> {
  const { results } = await db
    .prepare(
      `SELECT stream_id, projected_version, projected_hash FROM streams
       WHERE stream_id IN (SELECT value FROM json_each(?)) AND projected_version > 0`,
    )
    .bind(JSON.stringify(streamIds))
    .all<{ stream_id: string; projected_version: number; projected_hash: string | null }>();
  return new Map(
    results.map((row) => [
      row.stream_id,
      { streamId: row.stream_id, version: row.projected_version, hash: row.projected_hash },
    ]),
  );
}

/** A stream that was already behind keeps the time since when it is. */
export const FURTHER = `
  known_version = excluded.known_version, known_at = excluded.known_at,
  behind_since = iif(streams.projected_version < streams.known_version,
                     coalesce(streams.behind_since, excluded.behind_since), excluded.behind_since)
  WHERE excluded.known_version > streams.known_version`;

/**
 * Remembers that streams reach at least this far, so that the sweep notices if their events never
 * arrive. `from` may let through only some of the rows in `?1`.
 */
export const noteKnown = (
  db: D1Database,
  heads: readonly StreamHead[],
  now: number,
  from = "json_each(?1)",
): D1PreparedStatement =>
  db
    .prepare(
      `INSERT INTO streams (stream_id, known_version, known_at, projected_version, behind_since)
       SELECT value ->> 'streamId', max(value ->> 'version'), ?2, 0, ?2 FROM ${from} GROUP BY value ->> 'streamId'
       ON CONFLICT (stream_id) DO UPDATE SET ${FURTHER}`,
    )
    .bind(JSON.stringify(heads), now);

/** Moves streams forward to what the same batch has projected. */
export const noteProjected = (
  db: D1Database,
  heads: readonly ProjectedHead[],
  now: number,
): D1PreparedStatement =>
  db
    .prepare(
      `INSERT INTO streams (stream_id, known_version, known_at, projected_version, projected_hash)
       SELECT value ->> 'streamId', value ->> 'version', ?2, value ->> 'version', value ->> 'hash'
       FROM json_each(?1) WHERE true
       ON CONFLICT (stream_id) DO UPDATE SET
         projected_version = excluded.projected_version,
         projected_hash = excluded.projected_hash,
         known_version = max(streams.known_version, excluded.known_version)
       WHERE excluded.projected_version > streams.projected_version`,
    )
    .bind(JSON.stringify(heads), now);

/**
 * Streams whose events are overdue, longest first; their clock starts anew so that the next sweep
 * leaves them alone.
 */
export async function takeStreamsBehind(
  db: D1Database,
  before: number,
  now: number,
  limit: number,
): Promise<StreamHead[]> {
  const { results } = await db
    .prepare(
      `UPDATE streams SET known_at = ?2
       WHERE stream_id IN (SELECT stream_id FROM streams WHERE projected_version < known_version AND known_at < ?1
                           ORDER BY known_at LIMIT ?3)
       RETURNING stream_id, known_version`,
    )
    .bind(before, now, limit)
    .all<{ stream_id: string; known_version: number }>();
  return results.map((row) => ({ streamId: row.stream_id, version: row.known_version }));
}

/**
 * How many streams are behind, counted up to a limit, and since when (epoch ms) the first of them;
 * one row.
 */
export const countStreamsBehind = (db: D1Database, limit: number): D1PreparedStatement =>
  db
    .prepare(
      `SELECT count(*) AS n, min(known_at) AS oldest
       FROM (SELECT known_at FROM streams WHERE projected_version < known_version ORDER BY known_at LIMIT ?)`,
    )
    .bind(limit);
/** Of the streams that are behind, those that the sweep has not seen for longest. */
const MAX_STREAMS = 1_000;

/** Since when the stream that has been behind for longest is so, epoch ms; null when none is. */
export async function behindSince(db: D1Database): Promise<number | null> {
  const row = await db
    .prepare(
      `SELECT min(since) AS since FROM (
         SELECT coalesce(behind_since, known_at) AS since FROM streams WHERE projected_version < known_version
         ORDER BY known_at LIMIT ?)`,
    )
    .bind(MAX_STREAMS)
    .first<{ since: number | null }>();
  return row?.since ?? null;
}

/** Events of a stream whose log is the feed table itself (`job/…`). */
export async function readFeedStream(
  db: D1Database,
  streamId: string,
  after: number,
  limit: number,
): Promise<string[]> {
  const { results } = await db
    .prepare("SELECT body FROM events WHERE stream_id = ? AND version > ? ORDER BY version LIMIT ?")
    .bind(streamId, after, limit)
    .all<{ body: string }>();
  return results.map(({ body }) => body);
}

interface PositionRow {
  id: string;
  version: number;
  hash: string | null;
}

const toPosition = ({ id, version, hash }: PositionRow): ProjectedPosition => ({
  streamId: id,
  version,
  hash,
});

/** Marks of these streams; one without a row is at version 0. */
export async function marksOf(
  db: D1Database,
  streamIds: readonly string[],
): Promise<ProjectedPosition[]> {
  const { results } = await db
    .prepare(
      `SELECT value AS id, coalesce(projected_version, 0) AS version, projected_hash AS hash
       FROM json_each(?) LEFT JOIN streams ON stream_id = value`,
    )
    .bind(JSON.stringify(streamIds))
    .all<PositionRow>();
  return results.map(toPosition);
}

/**
 * Where to go on among ids that begin with a prefix: after the last one that is not beyond `after`.
 */
function restAfter(prefix: string, after: string): string {
  if (after < prefix) return "";
  // The last character there is: above every id.
  return after.startsWith(prefix) ? after.slice(prefix.length) : "\u{10ffff}";
}

const WEBHOOKS = breakerStream(webhookService(""));

/**
 * The next streams in the order of their ids. Among them are those that have no mark (any more):
 * assets, and the breakers of `services`, of endpoints, and of rows in `breakers`.
 */
export async function marksAfter(
  db: D1Database,
  after: string,
  limit: number,
  services: readonly string[] = [],
): Promise<ProjectedPosition[]> {
  const { results } = await db
    .prepare(
      `SELECT id, coalesce(projected_version, 0) AS version, projected_hash AS hash,
              stream_id IS NULL AND id LIKE ?5 || '%' AND substr(id, length(?5) + 1) NOT IN (SELECT service FROM breakers)
                AS supposed
       FROM (SELECT id FROM (SELECT ?4 || symbol AS id FROM assets WHERE symbol > ?2 ORDER BY symbol LIMIT ?3)
             UNION SELECT id FROM (SELECT stream_id AS id FROM streams WHERE stream_id > ?1 ORDER BY stream_id LIMIT ?3)
             UNION SELECT id FROM (SELECT ?5 || service AS id FROM
               (SELECT service FROM (SELECT service FROM breakers WHERE service > ?6 ORDER BY service LIMIT ?3)
                UNION SELECT value FROM json_each(?9) WHERE value > ?6))
             UNION SELECT id FROM (SELECT ?7 || e.id AS id FROM webhook_endpoints e WHERE e.id > ?8 ORDER BY e.id LIMIT ?3)
             ORDER BY 1 LIMIT ?3)
       LEFT JOIN streams ON stream_id = id ORDER BY id`,
    )
    .bind(
      after,
      restAfter(assetStream(""), after),
      limit,
      assetStream(""),
      breakerStream(""),
      restAfter(breakerStream(""), after),
      WEBHOOKS,
      restAfter(WEBHOOKS, after),
      JSON.stringify(services),
    )
    .all<PositionRow & { supposed: number }>();
  return results.map((row) => ({
    ...toPosition(row),
    ...(row.supposed === 1 ? { supposed: true } : {}),
  }));
}

/**
 * Streams whose rows were compared with their log longest ago, or never, before an instant (epoch
 * ms).
 */
export async function leastVerified(
  db: D1Database,
  before: number,
  limit: number,
): Promise<string[]> {
  const { results } = await db
    .prepare(
      `SELECT stream_id FROM streams WHERE verified_at IS NULL OR verified_at < ?1
       ORDER BY verified_at LIMIT ?2`,
    )
    .bind(before, limit)
    .all<{ stream_id: string }>();
  return results.map(({ stream_id }) => stream_id);
}

/** Notes that every row of a stream was compared; a mark without a hash gets the log's. */
export const noteVerified = (
  db: D1Database,
  streamId: string,
  version: number,
  hash: string | null,
  now: number,
): D1PreparedStatement =>
  db
    .prepare(
      `UPDATE streams SET verified_at = ?4, verified_version = ?2,
         projected_hash = iif(projected_hash IS NULL AND projected_version = ?2 AND ?2 > 0, ?3, projected_hash)
       WHERE stream_id = ?1`,
    )
    .bind(streamId, version, hash, now);

/**
 * How far streams whose log is the feed itself reach, and when the event after each mark occurred.
 */
export async function feedHeads(
  db: D1Database,
  positions: readonly ProjectedPosition[],
): Promise<Map<string, { version: number; waitingSince: string | null }>> {
  const { results } = await db
    .prepare(
      `SELECT value ->> 'streamId' AS id,
         coalesce((SELECT max(version) FROM events WHERE stream_id = value ->> 'streamId'), 0) AS version,
         (SELECT occurred_at FROM events
          WHERE stream_id = value ->> 'streamId' AND version = (value ->> 'version') + 1) AS waiting
       FROM json_each(?)`,
    )
    .bind(JSON.stringify(positions))
    .all<{ id: string; version: number; waiting: string | null }>();
  return new Map(
    results.map(({ id, version, waiting }) => [id, { version, waitingSince: waiting }]),
  );
}

/** Rows of a stream whose log is the feed itself, as they stand. */
export async function readFeedRows(
  db: D1Database,
  streamId: string,
  after: number,
  limit: number,
): Promise<{ version: number; body: string }[]> {
  const { results } = await db
    .prepare(
      "SELECT version, body FROM events WHERE stream_id = ? AND version > ? ORDER BY version LIMIT ?",
    )
    .bind(streamId, after, limit)
    .all<{ version: number; body: string }>();
  return results;
}
