import type { AnyEvent } from "../domain/events/envelope.ts";
import type { Reader } from "../reader.ts";
import type { Cell, TableShape } from "./row-tables.ts";

/** A breaker as its events tell it. Instants are epoch ms. */
export interface BreakerRow {
  readonly service: string;
  readonly state: "closed" | "open";
  readonly reason: string | null;
  readonly detail: string;
  readonly failures: number;
  readonly openedAt: number | null;
  readonly openUntil: number | null;
  readonly updatedAt: number | null;
}

export const BREAKERS: TableShape = {
  name: "breakers",
  columns: [
    "service",
    "state",
    "reason",
    "detail",
    "failures",
    "opened_at",
    "open_until",
    "updated_at",
    "version",
  ],
  key: ["service"],
  owner: "service",
  incidental: [],
};

/**
 * The row that stands after these events of one breaker, oldest first; none when they do not turn
 * it. `openSince` (epoch ms) tells since when it was open before them, null that it was closed.
 */
export function lastBreakerRow(events: readonly AnyEvent[], openSince: number | null): Cell[][] {
  let since = openSince;
  let last: Cell[][] = [];
  for (const event of events) {
    const [row] = breakerRows(event);
    if (row === undefined) continue;
    since = event.eventType === "CircuitOpened" ? (since ?? Date.parse(event.occurredAt)) : null;
    last = [row.with(BREAKERS.columns.indexOf("opened_at"), since)];
  }
  return last;
}

export function breakerRows(event: AnyEvent): Cell[][] {
  const at = Date.parse(event.occurredAt);
  if (event.eventType === "CircuitOpened") {
    const { service, reason, detail, failures, openUntil } = event.payload;
    const until = openUntil === null ? null : Date.parse(openUntil);
    return [[service, "open", reason, detail, failures, at, until, at, event.version]];
  }
  if (event.eventType === "CircuitClosed") {
    const { service, reason, detail } = event.payload;
    return [[service, "closed", reason, detail, 0, null, null, at, event.version]];
  }
  return [];
}

/** A breaker that opens again without having closed has been open since the first time. */
export const projectBreakers = (
  db: D1Database,
  rows: readonly (readonly Cell[])[],
): D1PreparedStatement =>
  db
    .prepare(
      `INSERT INTO breakers (service, state, reason, detail, failures, opened_at, open_until, updated_at, version)
       SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7, value ->> 8
       FROM json_each(?) WHERE true
       ON CONFLICT (service) DO UPDATE SET state = excluded.state, reason = excluded.reason, detail = excluded.detail,
         failures = excluded.failures, open_until = excluded.open_until, updated_at = excluded.updated_at,
         version = excluded.version,
         opened_at = iif(excluded.state = 'open' AND breakers.state = 'open' AND breakers.version > 0,
           breakers.opened_at, excluded.opened_at)
       WHERE excluded.version > breakers.version`,
    )
    .bind(JSON.stringify(rows));

/** Breakers by service, those of `services` even if they were never opened. */
export async function listBreakers(
  db: Reader,
  services: readonly string[],
  after: string,
  limit: number,
): Promise<BreakerRow[]> {
  const { results } = await db
    .prepare(
      `SELECT service, coalesce(state, 'closed') AS state, reason, coalesce(detail, '') AS detail,
              coalesce(failures, 0) AS failures, opened_at AS openedAt, open_until AS openUntil, updated_at AS updatedAt
       FROM (SELECT value AS service FROM json_each(?1) UNION SELECT service FROM breakers)
       LEFT JOIN breakers USING (service)
       WHERE service > ?2 ORDER BY service LIMIT ?3`,
    )
    .bind(JSON.stringify(services), after, limit)
    .all<BreakerRow>();
  return results;
}
