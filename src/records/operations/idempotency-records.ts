import { withoutSecrets } from "../../log.ts";

/**
 * A key is known for this long; after that its row is as good as gone, and the sweep takes it away.
 */
const KEY_LIFETIME_MS = 86_400_000;
/** A request that has not finished by then has died with its Worker. */
const ABANDONED_AFTER_MS = 60_000;
/**
 * Stands where the answer's status would, when carrying out the request failed on our side: it may
 * be tried again.
 */
const FAILED = 0;

/**
 * A request under a key: whose and which key it is, the path it was sent to, and a hash of what it
 * says.
 */
export interface KeyedRequest {
  readonly key: string;
  readonly route: string;
  readonly hash: string;
}

export interface KeptAnswer {
  readonly route: string;
  readonly hash: string;
  /** Null while the request is being worked on. */
  readonly status: number | null;
  readonly headers: string | null;
  readonly body: string | null;
}

/**
 * Takes the key for this request, if it is free: unknown, too old to be known, or of the same
 * request that failed or was abandoned. Tells when the key was first used, epoch ms; null when
 * somebody has it.
 */
export async function claimKey(
  db: D1Database,
  { key, route, hash }: KeyedRequest,
  now: number,
): Promise<number | null> {
  const claimed = await db
    .prepare(
      `INSERT INTO idempotency_keys (key, route, request_hash, created_at, claimed_at) VALUES (?1, ?2, ?3, ?4, ?4)
       ON CONFLICT (key) DO UPDATE SET route = ?2, request_hash = ?3, claimed_at = ?4,
         created_at = iif(created_at <= ?5, ?4, created_at), status = NULL, headers = NULL, body = NULL
       WHERE created_at <= ?5 OR (route = ?2 AND request_hash = ?3
         AND (status = ${FAILED} OR (status IS NULL AND coalesce(claimed_at, created_at) < ?6)))
       RETURNING created_at AS firstAt`,
    )
    .bind(key, route, hash, now, now - KEY_LIFETIME_MS, now - ABANDONED_AFTER_MS)
    .first<{ firstAt: number }>();
  return claimed?.firstAt ?? null;
}

export const keptAnswer = (db: D1Database, key: string): Promise<KeptAnswer | null> =>
  db
    .prepare(
      "SELECT route, request_hash AS hash, status, headers, body FROM idempotency_keys WHERE key = ?",
    )
    .bind(key)
    .first<KeptAnswer>();

/**
 * Keeps the answer for repetitions. What looks like a key or a secret is blotted out, wherever it
 * stands.
 */
export const keepAnswer = (
  db: D1Database,
  key: string,
  answer: {
    readonly status: number;
    readonly headers: Record<string, string>;
    readonly body: string;
  },
): D1PreparedStatement =>
  db
    .prepare("UPDATE idempotency_keys SET status = ?2, headers = ?3, body = ?4 WHERE key = ?1")
    .bind(key, answer.status, JSON.stringify(answer.headers), withoutSecrets(answer.body));

/** The request may be carried out again. */
export const keepFailure = (db: D1Database, key: string): D1PreparedStatement =>
  db.prepare(`UPDATE idempotency_keys SET status = ${FAILED} WHERE key = ?1`).bind(key);

/** Forgets keys that are past their time, oldest first. Tells how many. */
export async function pruneKeys(db: D1Database, now: number, limit: number): Promise<number> {
  const { meta } = await db
    .prepare(
      `DELETE FROM idempotency_keys WHERE key IN
         (SELECT key FROM idempotency_keys WHERE created_at <= ?1 ORDER BY created_at LIMIT ?2)`,
    )
    .bind(now - KEY_LIFETIME_MS, limit)
    .run();
  return meta.changes;
}
