import type { AlertState, Notification } from "../../domain/alert/alert.ts";
import type { Reader } from "../../reader.ts";

/**
 * A rule's row: how it stands, when that was found, and what of it some channel has not taken yet.
 */
export interface StoredAlert extends AlertState {
  readonly rule: string;
  readonly readAt: number;
  readonly pending: readonly Notification[];
}

interface AlertRow {
  rule: string;
  state: StoredAlert["state"];
  since: number;
  value: number | null;
  read_at: number;
  last_notified: number | null;
  pending: string;
}

/** There are only a few rules; those of older versions stay. */
const MAX_RULES = 100;

/** All alerts, those in a state only if one is given. */
export async function listAlerts(db: Reader, state: string | null): Promise<StoredAlert[]> {
  const { results } = await db
    .prepare("SELECT * FROM alerts WHERE (?1 IS NULL OR state = ?1) ORDER BY rule LIMIT ?2")
    .bind(state, MAX_RULES)
    .all<AlertRow>();
  return results.map((row) => ({
    rule: row.rule,
    state: row.state,
    since: row.since,
    value: row.value,
    readAt: row.read_at,
    lastNotified: row.last_notified,
    pending: JSON.parse(row.pending) as Notification[],
  }));
}

/**
 * An alert as it is to be, and when the one it was made from was read: null for a rule that had no
 * row.
 */
export interface AlertChange extends StoredAlert {
  readonly readBefore: number | null;
}

/**
 * Of the JSON rows in `?1`, which name their `rule` and `readBefore`, those of rules that still
 * stand as they were read: of two ticks at once only one decides.
 */
export const UNDECIDED = `(
  SELECT one.value FROM json_each(?1) AS one LEFT JOIN alerts ON alerts.rule = one.value ->> 'rule'
  WHERE alerts.read_at IS (one.value ->> 'readBefore'))`;

export const writeAlerts = (db: D1Database, changes: readonly AlertChange[]): D1PreparedStatement =>
  db
    .prepare(
      `INSERT INTO alerts (rule, state, since, value, read_at, last_notified, pending)
       SELECT value ->> 'rule', value ->> 'state', value ->> 'since', value ->> 'value', value ->> 'readAt',
              value ->> 'lastNotified', value ->> 'pending'
       FROM ${UNDECIDED} WHERE true
       ON CONFLICT (rule) DO UPDATE SET state = excluded.state, since = excluded.since, value = excluded.value,
         read_at = excluded.read_at, last_notified = excluded.last_notified, pending = excluded.pending`,
    )
    .bind(
      JSON.stringify(
        changes.map((change) => ({ ...change, pending: JSON.stringify(change.pending) })),
      ),
    );

/** Notifications that every channel has taken are no longer pending; what came meanwhile stays. */
export const forgetNotified = (
  db: D1Database,
  rule: string,
  ids: readonly string[],
): D1PreparedStatement =>
  db
    .prepare(
      `UPDATE alerts SET pending = (
         SELECT json_group_array(json(one.value)) FROM json_each(alerts.pending) AS one
         WHERE one.value ->> 'id' NOT IN (SELECT value FROM json_each(?2)))
       WHERE rule = ?1`,
    )
    .bind(rule, JSON.stringify(ids));
