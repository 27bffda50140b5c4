import { assetStream } from "../domain/events/envelope.ts";
import type { Reader } from "../reader.ts";
import { projectedHeads } from "./streams.ts";
import { SeriesMoved } from "./versioned-bars.ts";

/** A series that changes while it is read is read again so often. */
const TRIES = 3;

/**
 * What several queries about one asset answer when nothing was written between them; throws
 * SeriesMoved when it always was.
 */
export async function whileStill<T>(
  db: Reader,
  symbol: string,
  read: () => Promise<T>,
): Promise<T> {
  const streamId = assetStream(symbol);
  const version = async () => (await projectedHeads(db, [streamId])).get(streamId)?.version ?? 0;
  let before = await version();
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const answer = await read();
    const after = await version();
    if (after === before) return answer;
    before = after;
  }
  throw new SeriesMoved(`${symbol} changed while it was read, ${TRIES} times`);
}
