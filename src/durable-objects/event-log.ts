import {
  type Cause,
  type NewEvent,
  type StoredEvent,
  toStoredEvent,
} from "../domain/events/envelope.ts";
import { chainHash, GENESIS } from "../domain/events/rolling-hash.ts";
import type { LogPage, LogRow } from "../domain/reconciliation/check-chain.ts";

export interface Stamp {
  readonly now: number;
  readonly newId: () => string;
}

/** How far a stream reaches, and the rolling hash that vouches for everything up to there. */
export interface Head {
  readonly version: number;
  readonly hash: string;
}

/** A log beside a version that somebody else has come to. */
export interface HeadView {
  readonly version: number;
  /** The hash at that version; null when the log does not reach so far. */
  readonly hashAt: string | null;
  /**
   * When the event after it occurred, as written in it; null when there is none, or it cannot be
   * read.
   */
  readonly waitingSince: string | null;
}

/**
 * What became of an append that said which version it expects: somebody else may have come first.
 */
export type AppendOutcome =
  | { readonly kind: "appended"; readonly events: readonly StoredEvent[] }
  | { readonly kind: "conflict"; readonly expected: number; readonly actual: number };

/**
 * One aggregate's gapless, append-only, hash-chained history, and beside it the list of events not
 * yet published. Events stand and leave as they were written; whoever reads them brings them to
 * today's shape.
 */
export class EventLog {
  readonly #sql: SqlStorage;
  readonly streamId: string;

  constructor(sql: SqlStorage, streamId: string) {
    this.#sql = sql;
    this.streamId = streamId;
  }

  head(): number {
    return (
      this.#sql.exec<{ v: number | null }>("SELECT max(version) AS v FROM events").one().v ?? 0
    );
  }

  /** Version 0 and the genesis hash while nothing has happened. */
  top(): Head {
    return this.hashAt(this.head()) ?? { version: 0, hash: GENESIS };
  }

  /** The stream's hash as of a version; null when it does not reach that far. */
  hashAt(version: number): Head | null {
    const rows = this.#sql.exec<{ hash: string }>(
      "SELECT hash FROM events WHERE version = ?",
      version,
    );
    const hash = version === 0 ? GENESIS : rows.toArray()[0]?.hash;
    return hash === undefined ? null : { version, hash };
  }

  beside(version: number): HeadView {
    return {
      version: this.head(),
      hashAt: this.hashAt(version)?.hash ?? null,
      waitingSince: this.occurredAt(version + 1),
    };
  }

  /** Appends only if the stream still ends where the caller saw it end. */
  appendAt(
    expected: number,
    events: readonly NewEvent[],
    cause: Cause,
    stamp: Stamp,
  ): AppendOutcome {
    const actual = this.head();
    if (actual !== expected) return { kind: "conflict", expected, actual };
    return { kind: "appended", events: this.append(events, cause, stamp) };
  }

  /** The id of the event with a version, or null when there is none. */
  idOf(version: number): string | null {
    const row = this.#sql.exec<{ event_id: string }>(
      "SELECT event_id FROM events WHERE version = ?",
      version,
    );
    return row.toArray()[0]?.event_id ?? null;
  }

  /**
   * Appends events and their outbox rows. Call it inside the transaction that changes the state.
   */
  append(events: readonly NewEvent[], cause: Cause, stamp: Stamp): StoredEvent[] {
    let { version, hash } = this.top();
    const appended: StoredEvent[] = [];
    for (const event of events) {
      version += 1;
      const position = {
        eventId: stamp.newId(),
        streamId: this.streamId,
        version,
        occurredAt: stamp.now,
      };
      const full = toStoredEvent(event, position, cause);
      hash = chainHash(hash, full);
      this.#sql.exec(
        "INSERT INTO events (version, event_id, body, hash) VALUES (?, ?, ?, ?)",
        version,
        full.eventId,
        JSON.stringify(full),
        hash,
      );
      this.#sql.exec("INSERT INTO outbox (version) VALUES (?)", version);
      appended.push(full);
    }
    return appended;
  }

  /** Events after a version, oldest first, as many as fit both bounds (at least one). */
  read(after: number, limit: number, maxBytes: number): StoredEvent[] {
    return take(
      this.#sql.exec<{ body: string }>(
        "SELECT body FROM events WHERE version > ? ORDER BY version LIMIT ?",
        after,
        limit,
      ),
      maxBytes,
    );
  }

  /**
   * Rows as they stand, unread, with the hash kept for the last of them: for whoever checks the log
   * itself.
   */
  page(after: number, limit: number, maxBytes: number): LogPage {
    const rows: LogRow[] = [];
    let bytes = 0;
    for (const row of this.#sql.exec<{ version: number; body: string }>(
      "SELECT version, body FROM events WHERE version > ? ORDER BY version LIMIT ?",
      after,
      limit,
    )) {
      bytes += row.body.length;
      if (rows.length > 0 && bytes > maxBytes) break;
      rows.push(row);
    }
    const last = rows.at(-1)?.version ?? after;
    return { rows, hash: this.hashAt(last)?.hash ?? null, more: this.head() > last };
  }

  /** When an event occurred, as written in it; null when there is none, or it cannot be read. */
  occurredAt(version: number): string | null {
    const row = this.#sql
      .exec<{ at: string | null }>(
        "SELECT iif(json_valid(body), body ->> 'occurredAt', NULL) AS at FROM events WHERE version = ?",
        version,
      )
      .toArray()[0];
    return row?.at ?? null;
  }

  unpublished(limit: number, maxBytes: number): StoredEvent[] {
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

  /**
   * How many events wait to be published and when the oldest of them happened, if that can be told.
   */
  waiting(): { count: number; oldest: string | null } {
    const { n, v } = this.#sql
      .exec<{ n: number; v: number | null }>("SELECT count(*) AS n, min(version) AS v FROM outbox")
      .one();
    if (v === null) return { count: 0, oldest: null };
    // An event that cannot be read is the likeliest to be stuck, and must not keep the status from
    // being told.
    return { count: n, oldest: this.occurredAt(v) };
  }
}

function take(rows: Iterable<{ body: string }>, maxBytes: number): StoredEvent[] {
  const events: StoredEvent[] = [];
  let bytes = 0;
  for (const { body } of rows) {
    bytes += body.length;
    if (events.length > 0 && bytes > maxBytes) break;
    events.push(JSON.parse(body) as StoredEvent);
  }
  return events;
}
