import { sql } from "drizzle-orm";
import { index, integer, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";

/* What is known about how far the read model can be trusted. Runs are rewritten at each of their steps: WITHOUT ROWID. */

/**
 * Comparisons of the read model with the logs: what was asked for, how far it has come, what it
 * found.
 */
export const reconciliations = sqliteTable(
  "reconciliations",
  {
    id: text().primaryKey(),
    /** queued → running → done, or failed. */
    state: text().notNull(),
    /** `schedule` or `manual`. */
    trigger: text().notNull(),
    actor: text().notNull(),
    depth: text().notNull(),
    repair: integer({ mode: "boolean" }).notNull(),
    /** JSON list of the assets it is about; null for everything. */
    symbols: text(),
    /** Counts the steps; whoever takes one must know its number. */
    step: integer().notNull().default(0),
    cursor: text().notNull(),
    /** How many events its stream has. */
    facts: integer().notNull().default(0),
    checked: integer().notNull().default(0),
    verified: integer().notNull().default(0),
    unreachable: integer().notNull().default(0),
    diverged: integer().notNull().default(0),
    repaired: integer().notNull().default(0),
    unrepaired: integer().notNull().default(0),
    startedAt: integer("started_at").notNull(),
    /** When the sweep should look for it if nothing has happened. Null once finished. */
    dueAt: integer("due_at"),
    finishedAt: integer("finished_at"),
    error: text(),
    traceparent: text(),
  },
  (t) => [index("reconciliations_due").on(t.dueAt).where(sql`due_at IS NOT NULL`)],
);

/** Where the read model and a log disagreed. At most one is open for each part of a stream. */
export const divergences = sqliteTable(
  "divergences",
  {
    id: text().primaryKey(),
    /** The run that saw it last. */
    reconciliationId: text("reconciliation_id").notNull(),
    stream: text().notNull(),
    projection: text().notNull(),
    kind: text().notNull(),
    logVersion: integer("log_version").notNull(),
    readVersion: integer("read_version").notNull(),
    detail: text().notNull(),
    foundAt: integer("found_at").notNull(),
    action: text(),
    repairedAt: integer("repaired_at"),
    proven: integer({ mode: "boolean" }).notNull().default(false),
  },
  (t) => [
    uniqueIndex("divergences_open").on(t.stream, t.projection).where(sql`repaired_at IS NULL`),
    index("divergences_run").on(t.reconciliationId, t.id),
  ],
);

/** Rebuilds of projections: one at a time for each. */
export const rebuilds = sqliteTable(
  "rebuilds",
  {
    id: text().primaryKey(),
    projection: text().notNull(),
    state: text().notNull(),
    auto: integer({ mode: "boolean" }).notNull(),
    actor: text().notNull(),
    /** The table that live events are written to beside the live one; null when there is none. */
    beside: text(),
    step: integer().notNull().default(0),
    cursor: text().notNull(),
    /** Events read, and assets whose rows were taken over because their logs could not be read. */
    events: integer().notNull().default(0),
    kept: integer().notNull().default(0),
    /** JSON: what the live table and the rebuilt one did not share. */
    difference: text().notNull(),
    startedAt: integer("started_at").notNull(),
    /**
     * When the sweep should look for it if nothing has happened. Null while it waits for a person,
     * and at its end.
     */
    dueAt: integer("due_at"),
    finishedAt: integer("finished_at"),
    error: text(),
    traceparent: text(),
  },
  (t) => [
    uniqueIndex("rebuilds_open").on(t.projection).where(sql`beside IS NOT NULL`),
    index("rebuilds_due").on(t.dueAt).where(sql`due_at IS NOT NULL`),
  ],
);
