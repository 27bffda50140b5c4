import type { Reader } from "../reader.ts";
export interface Endpoint {
  readonly id: string;
  readonly url: string;
  readonly patterns: readonly string[];
  readonly description: string;
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

export const deleteEndpoint = (db: D1Database, id: string): D1PreparedStatement =>
  db.prepare("DELETE FROM webhook_endpoints WHERE id = ?").bind(id);

export async function findEndpoint(db: Reader, id: string): Promise<Endpoint | null> {
  const row = await db.prepare("SELECT * FROM webhook_endpoints WHERE id = ?").bind(id).first<EndpointRow>();
  return row === null ? null : toEndpoint(row);
}

export async function listEndpoints(db: Reader, after: string, limit: number): Promise<Endpoint[]> {
  const { results } = await db
    .prepare("SELECT * FROM webhook_endpoints WHERE id > ? ORDER BY id LIMIT ?")
    .bind(after, limit)
    .all<EndpointRow>();
  return results.map(toEndpoint);
}
