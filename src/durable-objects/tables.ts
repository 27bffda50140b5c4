/**
 * The tables of one asset's own database. Steps are only ever appended: objects that slept through releases run the
 * ones they missed. (`PRAGMA user_version` is refused by the platform, so the count has a table.)
 * WITHOUT ROWID where the key is composite: one row written instead of two.
 */
const STEPS: readonly string[] = [
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
];

/** Brings the database to the newest step. Runs in the constructor, before any request is let in. */
export function migrateTables(storage: DurableObjectStorage): void {
  storage.transactionSync(() => {
    storage.sql.exec(
      "CREATE TABLE IF NOT EXISTS _steps (id INTEGER PRIMARY KEY CHECK (id = 1), done INTEGER NOT NULL)",
    );
    const row = storage.sql.exec<{ done: number }>("SELECT done FROM _steps").toArray()[0];
    const doneSteps = row?.done ?? 0;
    if (doneSteps >= STEPS.length) return;
    for (const step of STEPS.slice(doneSteps)) storage.sql.exec(step);
    storage.sql.exec("INSERT OR REPLACE INTO _steps (id, done) VALUES (1, ?)", STEPS.length);
  });
}
