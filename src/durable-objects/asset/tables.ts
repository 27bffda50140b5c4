import { chainHash, GENESIS } from "../../domain/events/rolling-hash.ts";

/** SQL, or what SQL alone cannot say. */
export type Step = string | ((sql: SqlStorage) => void);

/**
 * The tables of one asset's own database. Steps are only ever appended: objects that slept through
 * releases run the ones they missed. (`PRAGMA user_version` is refused by the platform, so the
 * count has a table.) WITHOUT ROWID where the key is composite: one row written instead of two.
 */
export const ASSET_STEPS: readonly Step[] = [
  `CREATE TABLE events (
     version INTEGER PRIMARY KEY,
     event_id TEXT NOT NULL,
     body TEXT NOT NULL
   );
   CREATE TRIGGER events_are_facts BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events are immutable'); END;
   CREATE TRIGGER events_are_kept BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'events are kept'); END;
   CREATE TABLE outbox (version INTEGER PRIMARY KEY);
   CREATE TABLE consumed (
     consumer TEXT NOT NULL,
     id TEXT NOT NULL,
     payload_hash TEXT NOT NULL,
     result TEXT NOT NULL,
     PRIMARY KEY (consumer, id)
   ) WITHOUT ROWID;
   CREATE TABLE asset (id INTEGER PRIMARY KEY CHECK (id = 1), fact TEXT NOT NULL);
   CREATE TABLE bars (
     resolution TEXT NOT NULL,
     timestamp INTEGER NOT NULL,
     open REAL, high REAL, low REAL, close REAL NOT NULL, volume REAL,
     version INTEGER NOT NULL,
     PRIMARY KEY (resolution, timestamp)
   ) WITHOUT ROWID;
   CREATE TABLE analysis (
     resolution TEXT PRIMARY KEY,
     state TEXT NOT NULL,
     dirty_from INTEGER,
     event_id TEXT,
     version INTEGER
   ) WITHOUT ROWID;
   CREATE TABLE answers (snapshot_hash TEXT PRIMARY KEY, recommendation_id TEXT NOT NULL, version INTEGER NOT NULL)
     WITHOUT ROWID;`,
  chainEvents,
  `ALTER TABLE consumed ADD COLUMN at INTEGER NOT NULL DEFAULT 0;
   CREATE TABLE conflicts (
     consumer TEXT NOT NULL,
     id TEXT NOT NULL,
     payload_hash TEXT NOT NULL,
     times INTEGER NOT NULL,
     first_at INTEGER NOT NULL,
     last_at INTEGER NOT NULL,
     PRIMARY KEY (consumer, id, payload_hash)
   ) WITHOUT ROWID;`,
  // Every recommendation there is has yet to be resolved.
  `CREATE TABLE open_calls (
     resolution TEXT NOT NULL,
     as_of TEXT NOT NULL,
     version INTEGER NOT NULL,
     recommendation_id TEXT NOT NULL,
     PRIMARY KEY (resolution, as_of, version)
   ) WITHOUT ROWID;
   CREATE TABLE engine_records (
     resolution TEXT NOT NULL,
     engine TEXT NOT NULL,
     record TEXT NOT NULL,
     PRIMARY KEY (resolution, engine)
   ) WITHOUT ROWID;
   INSERT INTO open_calls (resolution, as_of, version, recommendation_id)
     SELECT body ->> '$.payload.resolution', body ->> '$.payload.asOf', events.version, recommendation_id
     FROM answers JOIN events USING (version);`,
  `CREATE TABLE corporate_actions (
     ex_date INTEGER NOT NULL,
     type TEXT NOT NULL,
     amount REAL, numerator REAL, denominator REAL,
     version INTEGER NOT NULL,
     PRIMARY KEY (ex_date, type)
   ) WITHOUT ROWID;`,
];

/**
 * A log and its outbox as every new kind of object has them from its first day; triggers keep the
 * log what it is.
 */
const EVENT_LOG = `
  CREATE TABLE events (
    version INTEGER PRIMARY KEY,
    event_id TEXT NOT NULL,
    body TEXT NOT NULL,
    hash TEXT NOT NULL CHECK (length(hash) = 64)
  );
  CREATE TRIGGER events_are_facts BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events are immutable'); END;
  CREATE TRIGGER events_are_kept BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'events are kept'); END;
  CREATE TRIGGER events_are_gapless BEFORE INSERT ON events
    WHEN NEW.version <> (SELECT coalesce(max(version), 0) + 1 FROM events)
    BEGIN SELECT RAISE(ABORT, 'versions are gapless'); END;
  CREATE TABLE outbox (version INTEGER PRIMARY KEY);`;

/**
 * The tables of one external service's breaker. `version` is that of the log as of which the state
 * is true.
 */
export const BREAKER_STEPS: readonly Step[] = [
  `${EVENT_LOG}
   CREATE TABLE breaker (
     id INTEGER PRIMARY KEY CHECK (id = 1),
     state TEXT NOT NULL,
     detail TEXT NOT NULL,
     version INTEGER NOT NULL
   );`,
];

/** Gives every event the rolling hash of its stream, and lets the schema itself refuse a gap. */
function chainEvents(sql: SqlStorage): void {
  sql.exec("ALTER TABLE events ADD COLUMN hash TEXT NOT NULL DEFAULT ''");
  sql.exec("DROP TRIGGER events_are_facts");
  let hash = GENESIS;
  for (let version = 1; ; version++) {
    const row = sql
      .exec<{ body: string }>("SELECT body FROM events WHERE version = ?", version)
      .toArray()[0];
    if (row === undefined) break;
    hash = chainHash(hash, JSON.parse(row.body));
    sql.exec("UPDATE events SET hash = ? WHERE version = ?", hash, version);
  }
  sql.exec(`
    CREATE TRIGGER events_are_facts BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events are immutable'); END;
    CREATE TRIGGER events_are_gapless BEFORE INSERT ON events
      WHEN NEW.version <> (SELECT coalesce(max(version), 0) + 1 FROM events)
      BEGIN SELECT RAISE(ABORT, 'versions are gapless'); END;
    CREATE TRIGGER events_are_chained BEFORE INSERT ON events WHEN length(NEW.hash) <> 64
      BEGIN SELECT RAISE(ABORT, 'an event carries the hash of its stream'); END;`);
}

/**
 * Brings the database to the newest step. Runs in the constructor, before any request is let in.
 */
export function migrateTables(
  storage: DurableObjectStorage,
  steps: readonly Step[] = ASSET_STEPS,
): void {
  storage.transactionSync(() => {
    storage.sql.exec(
      "CREATE TABLE IF NOT EXISTS _steps (id INTEGER PRIMARY KEY CHECK (id = 1), done INTEGER NOT NULL)",
    );
    const row = storage.sql.exec<{ done: number }>("SELECT done FROM _steps").toArray()[0];
    const doneSteps = row?.done ?? 0;
    if (doneSteps >= steps.length) return;
    for (const step of steps.slice(doneSteps)) {
      if (typeof step === "string") storage.sql.exec(step);
      else step(storage.sql);
    }
    storage.sql.exec("INSERT OR REPLACE INTO _steps (id, done) VALUES (1, ?)", steps.length);
  });
}
