import type { Problem } from "../domain/outcome.ts";

/** Work that gave up, kept with its error until somebody redrives or discards it. */
export interface DeadLetter {
  readonly id: string;
  readonly queue: string;
  readonly subject: string | null;
  readonly symbol: string | null;
  readonly body: unknown;
  readonly error: Problem;
  readonly attempts: number;
  readonly createdAt: number;
}

/** Files dead letters; the same letter twice is one. `from` may let through only some of the rows in `?1`. */
export function fileDeadLetters(
  db: D1Database,
  letters: readonly DeadLetter[],
  from = "json_each(?1)",
): D1PreparedStatement {
  const rows = letters.map((l) => ({
    ...l,
    body: JSON.stringify(l.body ?? null),
    error: JSON.stringify(l.error),
  }));
  return db
    .prepare(
      `INSERT INTO dead_letters (id, queue, subject, symbol, body, error, attempts, state, created_at, updated_at)
       SELECT value ->> 'id', value ->> 'queue', value ->> 'subject', value ->> 'symbol', value ->> 'body', value ->> 'error',
              value ->> 'attempts', 'open', value ->> 'createdAt', value ->> 'createdAt'
       FROM ${from} WHERE true
       ON CONFLICT (id) DO NOTHING`,
    )
    .bind(JSON.stringify(rows));
}

export function closeDeadLetter(
  db: D1Database,
  id: string,
  state: "redriven" | "discarded",
  now: number,
): D1PreparedStatement {
  return db
    .prepare("UPDATE dead_letters SET state = ?2, updated_at = ?3 WHERE id = ?1 AND state = 'open'")
    .bind(id, state, now);
}

export function editDeadLetter(db: D1Database, id: string, body: unknown, now: number): D1PreparedStatement {
  return db
    .prepare("UPDATE dead_letters SET body = ?2, updated_at = ?3 WHERE id = ?1 AND state = 'open'")
    .bind(id, JSON.stringify(body), now);
}
