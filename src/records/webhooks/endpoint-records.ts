import type { Reader } from "../../reader.ts";
export interface Endpoint {
  readonly id: string;
  readonly url: string;
  readonly patterns: readonly string[];
  readonly description: string;
  /** As it lies in the table: sealed, or in clear from before it was. */
  readonly secret: string;
  readonly enabled: boolean;
  readonly disabledWhy: string | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

interface EndpointRow {
  id: string;
  url: string;
  patterns: string;
  description: string;
  secret: string;
  enabled: number;
  disabled_why: string | null;
  created_at: number;
  updated_at: number;
}

const toEndpoint = (row: EndpointRow): Endpoint => ({
  id: row.id,
  url: row.url,
  patterns: JSON.parse(row.patterns) as string[],
  description: row.description,
  secret: row.secret,
  enabled: row.enabled === 1,
  disabledWhy: row.disabled_why,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

export const writeEndpoint = (db: D1Database, e: Endpoint): D1PreparedStatement =>
  db
    .prepare(
      `INSERT INTO webhook_endpoints (id, url, patterns, description, secret, enabled, disabled_why, created_at, updated_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET url = excluded.url, patterns = excluded.patterns, description = excluded.description,
         enabled = excluded.enabled, disabled_why = excluded.disabled_why, updated_at = excluded.updated_at`,
    )
    .bind(
      e.id,
      e.url,
      JSON.stringify(e.patterns),
      e.description,
      e.secret,
      e.enabled ? 1 : 0,
      e.disabledWhy,
      e.createdAt,
      e.updatedAt,
    );

/**
 * Endpoints whose secret lies in clear, or begins with one of `prefixes` (each ends in a colon).
 */
export async function endpointsToSeal(
  db: D1Database,
  prefixes: readonly string[],
  limit: number,
): Promise<{ id: string; secret: string }[]> {
  const { results } = await db
    .prepare(
      `SELECT id, secret FROM webhook_endpoints WHERE secret < 'sealed:' OR secret >= 'sealed;'
       UNION ALL
       SELECT w.id, w.secret FROM json_each(?1) AS one CROSS JOIN webhook_endpoints w
         ON w.secret > one.value AND w.secret < substr(one.value, 1, length(one.value) - 1) || ';'
       LIMIT ?2`,
    )
    .bind(JSON.stringify(prefixes), limit)
    .all<{ id: string; secret: string }>();
  return results;
}

/** Puts a secret's sealed text in the place of what it was sealed from, if that is still there. */
export const replaceSecret = (
  db: D1Database,
  id: string,
  from: string,
  to: string,
): D1PreparedStatement =>
  db
    .prepare("UPDATE webhook_endpoints SET secret = ?3 WHERE id = ?1 AND secret = ?2")
    .bind(id, from, to);

/**
 * Changes an endpoint that nobody has changed or deleted since it was read at `before`; else it
 * changes nothing.
 */
export const changeEndpoint = (
  db: D1Database,
  before: Pick<Endpoint, "updatedAt">,
  e: Endpoint,
): D1PreparedStatement =>
  db
    .prepare(
      `UPDATE webhook_endpoints SET url = ?3, patterns = ?4, description = ?5, enabled = ?6, disabled_why = ?7,
         updated_at = ?8
       WHERE id = ?1 AND updated_at = ?2`,
    )
    .bind(
      ...[e.id, before.updatedAt, e.url, JSON.stringify(e.patterns), e.description],
      ...[e.enabled ? 1 : 0, e.disabledWhy, e.updatedAt],
    );

/** With `before`, only while it stands as it was read. */
export const deleteEndpoint = (
  db: D1Database,
  id: string,
  before?: Pick<Endpoint, "updatedAt">,
): D1PreparedStatement =>
  db
    .prepare("DELETE FROM webhook_endpoints WHERE id = ?1 AND (?2 IS NULL OR updated_at = ?2)")
    .bind(id, before?.updatedAt ?? null);

export async function findEndpoint(db: Reader, id: string): Promise<Endpoint | null> {
  const row = await db
    .prepare("SELECT * FROM webhook_endpoints WHERE id = ?")
    .bind(id)
    .first<EndpointRow>();
  return row === null ? null : toEndpoint(row);
}

export async function listEndpoints(db: Reader, after: string, limit: number): Promise<Endpoint[]> {
  const { results } = await db
    .prepare("SELECT * FROM webhook_endpoints WHERE id > ? ORDER BY id LIMIT ?")
    .bind(after, limit)
    .all<EndpointRow>();
  return results.map(toEndpoint);
}
