type Rows = (sql: string) => readonly Readonly<Record<string, unknown>>[];

/** Where the rows are: the simulator's databases, or the files of a real installation. */
export interface Installation {
  readonly db: { readonly rows: Rows };
  readonly hosts: () => readonly {
    readonly disk: {
      readonly db: { readonly has: (table: string) => boolean; readonly rows: Rows };
    };
  }[];
}

/**
 * The state of a flow without everything that may differ: ids, clocks, numbers of tries, and
 * breaker events of services that did not answer. Two runs of a flow must agree on the rest.
 */
export function canonicalState(system: Installation): Record<string, readonly string[]> {
  const { db } = system;
  const lines = (sql: string): string[] =>
    db
      .rows(sql)
      .map((row) => tell(Object.values(row)))
      .sort();
  return {
    assets: lines(
      "SELECT symbol, type, currency, calendar, source, live, archived_at IS NULL FROM assets",
    ),
    logs: system
      .hosts()
      .flatMap((host) =>
        host.disk.db.has("events")
          ? host.disk.db
              .rows(
                "SELECT body ->> 'streamId', version, body ->> 'eventType', body ->> 'jobId' FROM events WHERE body ->> 'streamId' NOT LIKE 'breaker/%' ORDER BY version",
              )
              .map((row) => tell(Object.values(row)))
          : [],
      )
      .sort(),
    feed: lines(
      "SELECT stream_id, version, event_type FROM events WHERE stream_id NOT LIKE 'breaker/%'",
    ),
    bars: lines(
      "SELECT symbol, resolution, timestamp, open, high, low, close, volume, source, version FROM bars",
    ),
    indicators: lines('SELECT symbol, resolution, timestamp, "values", version FROM indicators'),
    recommendations: lines(
      "SELECT symbol, resolution, as_of, action, version FROM recommendations",
    ),
    trackRecord: lines(
      "SELECT symbol, resolution, as_of, action, outcome, horizon_return, independent, version FROM track_record",
    ),
    jobs: lines("SELECT id, state, redrives FROM jobs"),
    deliveries: lines(
      "SELECT e.stream_id, e.version, d.event_type, d.state FROM deliveries d JOIN events e USING (event_id) WHERE e.stream_id NOT LIKE 'breaker/%'",
    ),
    endpoints: lines("SELECT url, patterns, enabled FROM webhook_endpoints"),
    schedules: lines("SELECT name, kind, target, paused_at IS NULL FROM schedules"),
    slots: lines("SELECT state, jobs, skipped_why FROM slots"),
    processes: lines("SELECT id, state, direction, deeds FROM processes"),
    comparisons: lines(
      "SELECT state, depth, symbols, diverged, repaired, unrepaired FROM reconciliations WHERE trigger = 'manual'",
    ),
    // The error of the last attempt is one of the things that may differ.
    deadLetters: lines("SELECT queue, subject, symbol, state FROM dead_letters"),
    failures: lines("SELECT action, subject, outcome FROM audit_log WHERE action = 'job.failed'"),
  };
}

/** A row as text, with every id and every instant that a job's name carries blanked out. */
const tell = (values: readonly unknown[]): string =>
  values
    .map((value) =>
      String(value)
        .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g, "<id>")
        .replaceAll(/https?:\/\/[^\s"]+/g, "<url>")
        .replaceAll(/20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, "<instant>"),
    )
    .join(" ");
