import type { Reader } from "../../reader.ts";
import type { DeliveryAttempt, DeliveryState } from "./delivery-records.ts";

export interface StoredDelivery {
  readonly id: string;
  readonly endpointId: string;
  readonly eventId: string;
  readonly eventType: string;
  readonly state: DeliveryState;
  readonly attempts: readonly DeliveryAttempt[];
  readonly createdAt: number;
  readonly dueAt: number | null;
  readonly finishedAt: number | null;
}

interface DeliveryRow {
  id: string;
  endpoint_id: string;
  event_id: string;
  event_type: string;
  state: DeliveryState;
  attempts: string;
  created_at: number;
  due_at: number | null;
  finished_at: number | null;
}

const toStoredDelivery = (row: DeliveryRow): StoredDelivery => ({
  id: row.id,
  endpointId: row.endpoint_id,
  eventId: row.event_id,
  eventType: row.event_type,
  state: row.state,
  attempts: JSON.parse(row.attempts) as DeliveryAttempt[],
  createdAt: row.created_at,
  dueAt: row.due_at,
  finishedAt: row.finished_at,
});

export async function findDelivery(db: Reader, id: string): Promise<StoredDelivery | null> {
  const row = await db
    .prepare("SELECT * FROM deliveries WHERE id = ?")
    .bind(id)
    .first<DeliveryRow>();
  return row === null ? null : toStoredDelivery(row);
}

/** Deliveries to an endpoint, newest first, before a (createdAt, id) position. */
export async function listDeliveries(
  db: Reader,
  endpointId: string,
  before: readonly [number, string] | null,
  limit: number,
): Promise<StoredDelivery[]> {
  const { results } = await db
    .prepare(
      `SELECT * FROM deliveries WHERE endpoint_id = ? AND (created_at, id) < (?, ?)
       ORDER BY created_at DESC, id DESC LIMIT ?`,
    )
    .bind(endpointId, before?.[0] ?? Number.MAX_SAFE_INTEGER, before?.[1] ?? "", limit)
    .all<DeliveryRow>();
  return results.map(toStoredDelivery);
}
