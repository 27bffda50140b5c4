import { sql } from "drizzle-orm";
import { index, integer, primaryKey, real, sqliteTable, text } from "drizzle-orm/sqlite-core";

/*
 * What people and the scheduler told us: irreplaceable. Instants are epoch milliseconds, JSON is text.
 * Tables whose rows are written per bar are WITHOUT ROWID (added by hand to the migration, drizzle cannot say it):
 * a text key in an ordinary table would cost a second row written for its index.
 */

export const assets = sqliteTable("assets", {
  symbol: text().primaryKey(),
  type: text({ enum: ["STOCK", "CRYPTO", "FX"] }).notNull(),
  currency: text().notNull(),
  calendar: text().notNull(),
  source: text().notNull(),
  /** 0 for a finished history that is analysed as of its last bar and never asked for again. */
  live: integer({ mode: "boolean" }).notNull(),
  createdAt: integer("created_at").notNull(),
  updatedAt: integer("updated_at").notNull(),
  archivedAt: integer("archived_at"),
  /** The version of the object's stream behind this row: of two writes the later version wins. */
  version: integer().notNull().default(0),
});

export const jobs = sqliteTable(
  "jobs",
  {
    id: text().primaryKey(),
    kind: text().notNull(),
    /** The subject in one word; jobs of one word wait for each other. */
    symbol: text().notNull(),
    subjectType: text("subject_type").notNull().default("asset"),
    subjectId: text("subject_id").notNull().default(""),
    resolution: text().notNull(),
    state: text().notNull(),
    params: text().notNull(),
    slot: integer(),
    scheduleId: text("schedule_id"),
    correlationId: text("correlation_id").notNull(),
    causationId: text("causation_id"),
    actor: text().notNull(),
    /** JSON list of attempts, oldest first. */
    attempts: text().notNull().default("[]"),
    /** How often an operator redrove it; each time grants the kind's full number of attempts. */
    redrives: integer().notNull().default(0),
    /** Deferrals in a row without an attempt (rate limit, open breaker), and since when. */
    deferrals: integer().notNull().default(0),
    deferredSince: integer("deferred_since"),
    /** The dead letter of its asset it waits behind. */
    blockedBy: text("blocked_by"),
    traceparent: text(),
    result: text(),
    error: text(),
    createdAt: integer("created_at").notNull(),
    /** When the sweep should send it again if nothing has happened to it. Null once finished. */
    dueAt: integer("due_at"),
    finishedAt: integer("finished_at"),
  },
  (t) => [
    index("jobs_created").on(t.createdAt, t.id),
    index("jobs_due").on(t.dueAt).where(sql`due_at IS NOT NULL`),
    // How many backtests one key has asked for, whatever else is open.
    index("jobs_backtest_open").on(t.actor).where(sql`finished_at IS NULL AND kind = 'backtest'`),
    index("jobs_blocked").on(t.symbol, t.createdAt, t.id).where(sql`blocked_by IS NOT NULL`),
  ],
);

export const schedules = sqliteTable(
  "schedules",
  {
    id: text().primaryKey(),
    name: text().notNull(),
    kind: text().notNull(),
    /** JSON: {"symbol": "SPX"} or {"calendar": "XNYS"}, every live asset of that calendar. */
    target: text().notNull(),
    cadence: text().notNull(),
    overlap: text().notNull(),
    catchUpSeconds: integer("catch_up_seconds").notNull(),
    jitterSeconds: integer("jitter_seconds").notNull(),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
    pausedAt: integer("paused_at"),
    /** Why the system paused it; null while it runs and when a person paused it. */
    pausedWhy: text("paused_why"),
    /** Everything due up to here has been turned into slots. */
    doneUntil: integer("done_until").notNull(),
    nextDue: integer("next_due"),
  },
  (t) => [
    index("schedules_due").on(t.nextDue).where(sql`next_due IS NOT NULL AND paused_at IS NULL`),
  ],
);

export const slots = sqliteTable(
  "slots",
  {
    scheduleId: text("schedule_id").notNull(),
    slot: integer().notNull(),
    /** claimed → enqueued, with a wait as buffered before it; or skipped. */
    state: text().notNull(),
    /** The last symbol whose job has been ordered; null before the first page. */
    cursor: text(),
    /** Jobs the slot ordered itself, and how they ended so far (see slot-counts.ts). */
    jobs: integer().notNull().default(0),
    succeeded: integer().notNull().default(0),
    failed: integer().notNull().default(0),
    cancelled: integer().notNull().default(0),
    /** Jobs that another schedule had ordered under the same id. */
    shared: integer().notNull().default(0),
    skippedWhy: text("skipped_why"),
    triggeredBy: text("triggered_by").notNull().default("due"),
    /** On the market's clock, how long after its moment it was taken. */
    lateSeconds: integer("late_seconds").notNull().default(0),
    lockedUntil: integer("locked_until"),
    lockedBy: text("locked_by"),
    claimedAt: integer("claimed_at").notNull(),
    /** When it was skipped, or the last of its jobs ended. */
    finishedAt: integer("finished_at"),
  },
  (t) => [
    primaryKey({ columns: [t.scheduleId, t.slot] }),
    index("slots_open").on(t.lockedUntil).where(sql`state = 'claimed'`),
    // A schedule's slots in work; who waits for whom is read from here.
    index("slots_line").on(t.scheduleId, t.slot).where(sql`finished_at IS NULL`),
    index("slots_buffered").on(t.scheduleId, t.slot).where(sql`state = 'buffered'`),
    index("slots_skipped").on(t.scheduleId, t.slot).where(sql`state = 'skipped'`),
  ],
);

export const processes = sqliteTable(
  "processes",
  {
    /** `kind|subject|number`. */
    id: text().primaryKey(),
    kind: text().notNull(),
    state: text().notNull(),
    /** forward, or backward while it is taken back. */
    direction: text().notNull(),
    /** The step in work; −1 when none is left to take back. */
    step: integer().notNull(),
    /** JSON list: each step's state, result and attempts. */
    steps: text().notNull(),
    input: text().notNull(),
    /** JSON list: the effects it had that must not be had twice. */
    deeds: text().notNull().default("[]"),
    /** Failed tries and polls of the current step, which started or was resumed at `since`. */
    tries: integer().notNull(),
    looks: integer().notNull(),
    since: integer().notNull(),
    /** When it continues, or the end of its lease; null when it does not continue by itself. */
    dueAt: integer("due_at"),
    leaseUntil: integer("lease_until"),
    /** When the step in work has taken too long. */
    stuckAt: integer("stuck_at"),
    error: text(),
    /** Compared and set by every change. */
    version: integer().notNull(),
    actor: text().notNull(),
    traceparent: text(),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
    finishedAt: integer("finished_at"),
  },
  (t) => [
    index("processes_created").on(t.createdAt, t.id),
    index("processes_state").on(t.state, t.createdAt, t.id),
    index("processes_due").on(t.dueAt).where(sql`due_at IS NOT NULL`),
    index("processes_unmoved").on(t.stuckAt).where(sql`stuck_at IS NOT NULL`),
  ],
);

export const clock = sqliteTable("clock", {
  id: integer().primaryKey(),
  /** What the market's clock says, epoch ms; behind the wall clock only while a replay runs. */
  marketNow: integer("market_now").notNull(),
  wallAt: integer("wall_at").notNull(),
});

export const deadLetters = sqliteTable(
  "dead_letters",
  {
    id: text().primaryKey(),
    queue: text().notNull(),
    /** The job or delivery that gave up, when the message named one. */
    subject: text(),
    symbol: text(),
    body: text().notNull(),
    error: text().notNull(),
    attempts: integer().notNull(),
    /**
     * open → redriving → redriven; or discarded; or superseded by the letter it was edited into.
     */
    state: text().notNull(),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
    /** Equal for all dead letters of one cause; null in rows from before causes were recorded. */
    fingerprint: text(),
    faultClass: text("fault_class"),
    /** The first and the last time its work failed. */
    firstAt: integer("first_at"),
    lastAt: integer("last_at"),
    editedFrom: text("edited_from"),
    editedTo: text("edited_to"),
    /** Why it was closed, and who did something to it last. */
    reason: text(),
    actor: text(),
    traceparent: text(),
  },
  (t) => [
    index("dead_letters_created").on(t.state, t.createdAt, t.id),
    index("dead_letters_cause").on(t.state, t.fingerprint, t.createdAt, t.id),
    // Whether an asset is parked is asked for every job, so it must be one look into a short index.
    index("dead_letters_parked").on(t.symbol).where(sql`state IN ('open', 'redriving')`),
    index("dead_letters_subject").on(t.subject).where(sql`state = 'open'`),
    index("dead_letters_closed")
      .on(t.updatedAt)
      .where(sql`state IN ('redriven', 'discarded', 'superseded')`),
  ],
);

/** Where a sweep that looks at a part of a table each time goes on. */
export const sweepCursors = sqliteTable("sweep_cursors", {
  name: text().primaryKey(),
  position: text().notNull(),
});

export const webhookEndpoints = sqliteTable(
  "webhook_endpoints",
  {
    id: text().primaryKey(),
    url: text().notNull(),
    patterns: text({ mode: "json" }).$type<string[]>().notNull(),
    description: text().notNull(),
    /** Sealed (src/sealing); in clear only where the sweep has not come yet since that began. */
    secret: text().notNull(),
    enabled: integer({ mode: "boolean" }).notNull(),
    disabledWhy: text("disabled_why"),
    createdAt: integer("created_at").notNull(),
    /** Also the version: every change makes it greater. */
    updatedAt: integer("updated_at").notNull(),
  },
  // Sealed texts begin with their key's id, so those of another key are found without a look at the
  // rest.
  (t) => [index("webhook_endpoints_sealed").on(t.secret)],
);

export const deliveries = sqliteTable(
  "deliveries",
  {
    /** `<endpoint id>.<event id>`: one event goes to one endpoint once. */
    id: text().primaryKey(),
    endpointId: text("endpoint_id").notNull(),
    eventId: text("event_id").notNull(),
    eventType: text("event_type").notNull(),
    state: text().notNull(),
    /** JSON list of attempts, oldest first. */
    attempts: text().notNull().default("[]"),
    /** Attempts before it was last put back to work. */
    retryFrom: integer("retry_from").notNull().default(0),
    /**
     * Since when it has been put off without an attempt, because the receiver's breaker is open.
     */
    deferredSince: integer("deferred_since"),
    createdAt: integer("created_at").notNull(),
    dueAt: integer("due_at"),
    finishedAt: integer("finished_at"),
  },
  (t) => [
    index("deliveries_endpoint").on(t.endpointId, t.createdAt, t.id),
    index("deliveries_due").on(t.dueAt).where(sql`due_at IS NOT NULL`),
  ],
);

/** One row per rule of alerts: whether it is raised, and what of that is still to be told. */
export const alerts = sqliteTable("alerts", {
  rule: text().primaryKey(),
  /** ok, pending (over its threshold, not for long enough yet) or raised. */
  state: text().notNull(),
  since: integer().notNull(),
  /** The last reading; null when none could be taken yet. */
  value: real(),
  readAt: integer("read_at").notNull(),
  lastNotified: integer("last_notified"),
  /** JSON list of notifications that the receiver has not taken yet, oldest first. */
  pending: text().notNull().default("[]"),
});

export const auditLog = sqliteTable("audit_log", {
  id: text().primaryKey(),
  at: integer().notNull(),
  actor: text().notNull(),
  action: text().notNull(),
  subject: text().notNull(),
  outcome: text().notNull(),
  detail: text(),
  traceparent: text(),
});
