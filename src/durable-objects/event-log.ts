import { EVENT_TYPES } from "../domain/events/catalogue.ts";
import type { AnyEvent, Cause, NewEvent } from "../domain/events/envelope.ts";

export interface Stamp {
  readonly now: number;
  readonly newId: () => string;
}

/** One asset's gapless, append-only history, and beside it the list of events not yet published. */
export class EventLog {
  readonly #sql: SqlStorage;
  readonly #streamId: string;

  constructor(sql: SqlStorage, streamId: string) {
    this.#sql = sql;
    this.#streamId = streamId;
  }

  head(): number {
    return this.#sql.exec<{ v: number | null }>("SELECT max(version) AS v FROM events").one().v ?? 0;
  }

  /** The id of the event with a version, or null when there is none. */
  idOf(version: number): string | null {
    const row = this.#sql.exec<{ event_id: string }>(
      "SELECT event_id FROM events WHERE version = ?",
      version,
    );
    return row.toArray()[0]?.event_id ?? null;
  }

  /** Appends events and their outbox rows. Call it inside the transaction that changes the state. */
  append(events: readonly NewEvent[], cause: Cause, stamp: Stamp): AnyEvent[] {
    let version = this.head();
    const appended: AnyEvent[] = [];
    for (const event of events) {
      version += 1;
      const full = {
        eventId: stamp.newId(),
        eventType: event.eventType,
        schemaVersion: EVENT_TYPES[event.eventType].schemaVersion,
        streamId: this.#streamId,
        version,
        occurredAt: new Date(stamp.now).toISOString(),
        tenantId: "default",
        ...cause,
        payload: event.payload,
      } as AnyEvent;
      this.#sql.exec(
        "INSERT INTO events (version, event_id, body) VALUES (?, ?, ?)",
        version,
        full.eventId,
        JSON.stringify(full),
      );
      this.#sql.exec("INSERT INTO outbox (version) VALUES (?)", version);
      appended.push(full);
    }
    return appended;
  }

  /** Events after a version, oldest first, as many as fit both bounds (at least one). */
  read(after: number, limit: number, maxBytes: number): AnyEvent[] {
    return take(
      this.#sql.exec<{ body: string }>(
        "SELECT body FROM events WHERE version > ? ORDER BY version LIMIT ?",
        after,
        limit,
      ),
      maxBytes,
    );
  }

  unpublished(limit: number, maxBytes: number): AnyEvent[] {
    return take(
      this.#sql.exec<{ body: string }>(
        "SELECT body FROM outbox JOIN events USING (version) ORDER BY version LIMIT ?",
        limit,
      ),
      maxBytes,
    );
  }

  markPublished(upTo: number): void {
    this.#sql.exec("DELETE FROM outbox WHERE version <= ?", upTo);
  }

  /** How many events wait to be published and when the oldest of them happened, if that can be told. */
  waiting(): { count: number; oldest: string | null } {
    const { n, v } = this.#sql
      .exec<{ n: number; v: number | null }>("SELECT count(*) AS n, min(version) AS v FROM outbox")
      .one();
    if (v === null) return { count: 0, oldest: null };
    // An event that cannot be read is the likeliest to be stuck, and must not keep the status from being told.
    const { at } = this.#sql
      .exec<{ at: string | null }>(
        "SELECT iif(json_valid(body), body ->> 'occurredAt', NULL) AS at FROM events WHERE version = ?",
        v,
      )
      .one();
    return { count: n, oldest: at };
  }
}

function take(rows: Iterable<{ body: string }>, maxBytes: number): AnyEvent[] {
  const events: AnyEvent[] = [];
  let bytes = 0;
  for (const { body } of rows) {
    bytes += body.length;
    if (events.length > 0 && bytes > maxBytes) break;
    events.push(JSON.parse(body) as AnyEvent);
  }
  return events;
}
