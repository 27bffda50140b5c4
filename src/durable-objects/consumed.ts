/** The same id came with other contents: somebody reuses ids, and neither effect may silently win. */
export class PayloadConflict extends Error {
  override readonly name = "PayloadConflict";
  readonly code = "payload_conflict";
}

/**
 * Runs an effect once per (consumer, id) and remembers its result in the same transaction: a redelivery gets the stored
 * result, the same id with a different payload is a conflict. Must be called inside `transactionSync`.
 */
export function once<T>(
  sql: SqlStorage,
  consumer: string,
  id: string,
  payloadHash: string,
  effect: () => T,
): { readonly result: T; readonly repeated: boolean } {
  const seen = sql
    .exec<{ payload_hash: string; result: string }>(
      "SELECT payload_hash, result FROM consumed WHERE consumer = ? AND id = ?",
      consumer,
      id,
    )
    .toArray()[0];
  if (seen !== undefined) {
    if (seen.payload_hash !== payloadHash) {
      throw new PayloadConflict(`${consumer} ${id} was already handled with a different payload`);
    }
    return { result: JSON.parse(seen.result) as T, repeated: true };
  }
  const result = effect();
  sql.exec(
    "INSERT INTO consumed (consumer, id, payload_hash, result) VALUES (?, ?, ?, ?)",
    consumer,
    id,
    payloadHash,
    JSON.stringify(result),
  );
  return { result, repeated: false };
}
