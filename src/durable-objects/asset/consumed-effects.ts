/**
 * The same id came with other contents: somebody reuses ids, and neither effect may silently win.
 */
export class PayloadConflict extends Error {
  override readonly name = "PayloadConflict";
  readonly code = "job.payload_conflict";
}

/** What an effect came to. `conflict` is on record; nothing else of the call took place. */
export type Once<T> =
  | { readonly kind: "done"; readonly result: T; readonly repeated: boolean }
  | { readonly kind: "conflict"; readonly detail: string };

interface Order {
  readonly consumer: string;
  readonly id: string;
  readonly payloadHash: string;
  /** Epoch ms. */
  readonly now: number;
}

/**
 * Runs an effect once per (consumer, id) and remembers its result in the same transaction: a
 * redelivery gets the stored result, the same id with a different payload is a conflict that is
 * written down. `isFinal` may say that a result is no effect yet and is to be asked again. Must be
 * called inside `transactionSync`.
 */
export function once<T>(
  sql: SqlStorage,
  { consumer, id, payloadHash, now }: Order,
  effect: () => T,
  isFinal: (result: T) => boolean = () => true,
): Once<T> {
  const seen = sql
    .exec<{ payload_hash: string; result: string }>(
      "SELECT payload_hash, result FROM consumed WHERE consumer = ? AND id = ?",
      consumer,
      id,
    )
    .toArray()[0];
  if (seen !== undefined) {
    if (seen.payload_hash !== payloadHash) {
      noteConflict(sql, { consumer, id, payloadHash, now });
      return {
        kind: "conflict",
        detail: `${consumer} ${id} was already handled with a different payload`,
      };
    }
    return { kind: "done", result: JSON.parse(seen.result) as T, repeated: true };
  }
  const result = effect();
  if (isFinal(result)) {
    sql.exec(
      "INSERT INTO consumed (consumer, id, payload_hash, result, at) VALUES (?, ?, ?, ?, ?)",
      consumer,
      id,
      payloadHash,
      JSON.stringify(result),
      now,
    );
  }
  return { kind: "done", result, repeated: false };
}

/** One row per different payload, however often it comes. */
function noteConflict(sql: SqlStorage, { consumer, id, payloadHash, now }: Order): void {
  sql.exec(
    `INSERT INTO conflicts (consumer, id, payload_hash, times, first_at, last_at) VALUES (?1, ?2, ?3, 1, ?4, ?4)
     ON CONFLICT (consumer, id, payload_hash) DO UPDATE SET times = times + 1, last_at = ?4`,
    consumer,
    id,
    payloadHash,
    now,
  );
}

/**
 * Longer than anything redelivers: queues keep a message 14 days, a parked one may be redriven
 * weeks later. After that a repetition meets the effect's own key (bar, snapshot), which changes
 * nothing either.
 */
const KEPT_MS = 90 * 86_400_000;

/** Forgets what nobody can redeliver any more. Rows of before the table had dates are kept. */
export function forgetOld(sql: SqlStorage, now: number): void {
  sql.exec("DELETE FROM consumed WHERE at > 0 AND at < ?", now - KEPT_MS);
  sql.exec("DELETE FROM conflicts WHERE last_at < ?", now - KEPT_MS);
}
