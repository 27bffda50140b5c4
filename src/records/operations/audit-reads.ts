import type { Reader } from "../../reader.ts";

export interface StoredAudit {
  readonly id: string;
  readonly at: number;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly outcome: string;
  readonly detail: string | null;
  readonly traceparent: string | null;
}

/** The audit log, newest first. */
export async function listAudit(
  db: Reader,
  before: string | null,
  limit: number,
): Promise<StoredAudit[]> {
  const { results } = await db
    .prepare("SELECT * FROM audit_log WHERE (?1 IS NULL OR id < ?1) ORDER BY id DESC LIMIT ?2")
    .bind(before, limit)
    .all<StoredAudit>();
  return results;
}

export interface StoredApiKey {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
}

/**
 * Makes a key. Making it again, after an answer that never went out, gives it another hash instead
 * of a second row.
 */
export const writeApiKey = (
  db: D1Database,
  key: StoredApiKey & { readonly hash: string; readonly createdBy: string },
): D1PreparedStatement =>
  db
    .prepare(
      `INSERT INTO api_keys (id, name, hash, scopes, created_at, created_by, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET hash = excluded.hash
       WHERE created_by = excluded.created_by AND revoked_at IS NULL`,
    )
    .bind(
      key.id,
      key.name,
      key.hash,
      JSON.stringify(key.scopes),
      key.createdAt,
      key.createdBy,
      key.expiresAt,
    );

export const revokeApiKey = (db: D1Database, id: string, now: number): D1PreparedStatement =>
  db
    .prepare("UPDATE api_keys SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL")
    .bind(id, now);

/** Of the JSON rows in `?1`, those whose `subject` is a key that is not revoked yet. */
export const UNREVOKED = `(
  SELECT one.value FROM json_each(?1) AS one JOIN api_keys AS k ON k.id = one.value ->> 'subject'
  WHERE k.revoked_at IS NULL)`;

export async function listApiKeys(
  db: Reader,
  after: string,
  limit: number,
): Promise<StoredApiKey[]> {
  const { results } = await db
    .prepare(
      `SELECT id, name, scopes, created_at AS createdAt, expires_at AS expiresAt, revoked_at AS revokedAt
       FROM api_keys WHERE id > ? ORDER BY id LIMIT ?`,
    )
    .bind(after, limit)
    .all<Omit<StoredApiKey, "scopes"> & { scopes: string }>();
  return results.map((row) => ({ ...row, scopes: JSON.parse(row.scopes) as string[] }));
}
