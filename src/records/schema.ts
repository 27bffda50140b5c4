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
});

export const apiKeys = sqliteTable("api_keys", {
  id: text().primaryKey(),
  name: text().notNull(),
  /** SHA-256 of the whole key, hex. The key itself is shown once and kept nowhere. */
  hash: text().notNull(),
  scopes: text({ mode: "json" }).$type<string[]>().notNull(),
  createdAt: integer("created_at").notNull(),
  createdBy: text("created_by").notNull(),
  expiresAt: integer("expires_at"),
  revokedAt: integer("revoked_at"),
});

export const jobs = sqliteTable(
  "jobs",
  {
    id: text().primaryKey(),
    kind: text().notNull(),
    symbol: text().notNull(),
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
    /** How often an operator put it back to work; each time grants the kind's whole number of attempts again. */
    redrives: integer().notNull().default(0),
    /** How often in a row it was put off without an attempt (rate limit, open breaker), and since when. */
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
    /** Everything due up to here has been turned into slots. */
    doneUntil: integer("done_until").notNull(),
    nextDue: integer("next_due"),
  },
  (t) => [index("schedules_due").on(t.nextDue).where(sql`next_due IS NOT NULL AND paused_at IS NULL`)],
);

export const slots = sqliteTable(
  "slots",
  {
    scheduleId: text("schedule_id").notNull(),
    slot: integer().notNull(),
    /** claimed → enqueued, or skipped. */
    state: text().notNull(),
    /** The last symbol whose job has been ordered; null before the first page. */
    cursor: text(),
    jobs: integer().notNull().default(0),
    skippedWhy: text("skipped_why"),
    lockedUntil: integer("locked_until"),
    lockedBy: text("locked_by"),
    claimedAt: integer("claimed_at").notNull(),
    finishedAt: integer("finished_at"),
  },
  (t) => [
    primaryKey({ columns: [t.scheduleId, t.slot] }),
    index("slots_open").on(t.lockedUntil).where(sql`state = 'claimed'`),
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
    state: text().notNull(),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (t) => [index("dead_letters_state").on(t.state, t.id)],
);

export const webhookEndpoints = sqliteTable("webhook_endpoints", {
  id: text().primaryKey(),
  url: text().notNull(),
  patterns: text({ mode: "json" }).$type<string[]>().notNull(),
  description: text().notNull(),
  secret: text().notNull(),
  enabled: integer({ mode: "boolean" }).notNull(),
  disabledWhy: text("disabled_why"),
  createdAt: integer("created_at").notNull(),
  updatedAt: integer("updated_at").notNull(),
});

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
    /** Since when it has been put off without an attempt, because the receiver's breaker is open. */
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
});

export const idempotencyKeys = sqliteTable(
  "idempotency_keys",
  {
    /** API key id + route + Idempotency-Key header. */
    key: text().primaryKey(),
    requestHash: text("request_hash").notNull(),
    status: integer(),
    headers: text(),
    body: text(),
    createdAt: integer("created_at").notNull(),
  },
  (t) => [index("idempotency_keys_created").on(t.createdAt)],
);
