import type { ObjectHost } from "../platform/objects.ts";
import type { Row, Sqlite } from "../platform/sqlite.ts";
import type { System } from "../platform/system.ts";
import type { Ledger } from "../workload/ledger.ts";

/**
 * An event as it is stored in a log. Its payload depends on its type, so it is parsed where the
 * type is known.
 */
export interface LoggedEvent {
  readonly eventId: string;
  readonly eventType: string;
  readonly streamId: string;
  readonly version: number;
  readonly occurredAt: string;
  readonly jobId: string | null;
  readonly payload: Readonly<Record<string, unknown>>;
  /** The whole of it, as text. */
  readonly body: string;
}

/** An object that keeps a log of events. */
export interface LoggedObject {
  readonly host: ObjectHost;
  readonly db: Sqlite;
  readonly streamId: string;
  readonly events: readonly LoggedEvent[];
}

/** A job with its history. */
export interface JobView {
  readonly id: string;
  readonly kind: string;
  readonly symbol: string;
  readonly state: string;
  readonly attempts: readonly Row[];
  readonly redrives: number;
  readonly row: Row;
}

/** View for the invariants: the installation at rest, read once. */
export class View {
  readonly system: System;
  readonly ledger: Ledger;
  readonly db: Sqlite;
  readonly objects: readonly LoggedObject[];
  /** Those of them that are assets. */
  readonly assets: readonly LoggedObject[];
  readonly jobs: ReadonlyMap<string, JobView>;
  /** The events table of the read model, by stream, in version order. */
  readonly feed: ReadonlyMap<string, readonly LoggedEvent[]>;

  constructor(system: System, ledger: Ledger) {
    this.system = system;
    this.ledger = ledger;
    this.db = system.db;
    // The data of a poisoned object are unreachable, so they are left out.
    this.objects = system
      .hosts()
      .flatMap((host) => (host.poisoned ? [] : (loggedObject(host) ?? [])));
    this.assets = this.objects.filter(({ db }) => db.has("bars"));
    this.jobs = new Map(
      this.db.rows("SELECT * FROM jobs").map((row) => [
        String(row["id"]),
        {
          id: String(row["id"]),
          kind: String(row["kind"]),
          symbol: String(row["symbol"]),
          state: String(row["state"]),
          attempts: listOf(row["attempts"]),
          redrives: Number(row["redrives"]),
          row,
        },
      ]),
    );
    this.feed = Map.groupBy(
      this.db
        .rows("SELECT body FROM events ORDER BY stream_id, version")
        .map(({ body }) => readEvent(String(body))),
      ({ streamId }) => streamId,
    );
  }

  rows(sql: string, ...values: (string | number | null)[]): Row[] {
    return this.db.rows(sql, ...values);
  }
}

export const listOf = (json: unknown): Row[] => {
  const value: unknown = JSON.parse(String(json));
  return Array.isArray(value) ? value : [];
};

function readEvent(body: string): LoggedEvent {
  const value = JSON.parse(body) as Omit<LoggedEvent, "body">;
  return { ...value, body };
}

function loggedObject(host: ObjectHost): LoggedObject | null {
  const { db } = host.disk;
  if (!db.has("events")) return null;
  const events = db
    .rows("SELECT body FROM events ORDER BY version")
    .map(({ body }) => readEvent(String(body)));
  const streamId = events[0]?.streamId ?? "";
  return { host, db, streamId, events };
}

/** Where two lists of rows first differ, in words; null where they do not. */
export function difference(
  what: string,
  expected: ReadonlyMap<string, string>,
  found: ReadonlyMap<string, string>,
): string | null {
  for (const [key, value] of expected) {
    const other = found.get(key);
    if (other === undefined)
      return `${what}: ${key} is missing (of ${expected.size}, there are ${found.size})`;
    if (other !== value) return `${what}: ${key} is ${other}, should be ${value}`;
  }
  for (const key of found.keys())
    if (!expected.has(key)) return `${what}: ${key} should not be there`;
  return null;
}
