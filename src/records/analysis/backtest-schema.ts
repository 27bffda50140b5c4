import { index, integer, real, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** One row per backtest that was ordered; its state and what was asked stand in its job. */
export const backtests = sqliteTable(
  "backtests",
  {
    id: text().primaryKey(),
    jobId: text("job_id").notNull(),
    createdAt: integer("created_at").notNull(),
    /** How far it has come, 0..1; only ever more. */
    progress: real().notNull().default(0),
    /** JSON of what came out, written once; null until then. */
    result: text(),
    finishedAt: integer("finished_at"),
  },
  (t) => [index("backtests_newest").on(t.createdAt, t.id)],
);
