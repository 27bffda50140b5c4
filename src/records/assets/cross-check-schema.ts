import { sql } from "drizzle-orm";
import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** One row per cross-check that was ordered; its state and what was asked stand in its job. */
export const crossChecks = sqliteTable(
  "cross_checks",
  {
    id: text().primaryKey(),
    jobId: text("job_id").notNull(),
    symbol: text().notNull(),
    resolution: text().notNull(),
    createdAt: integer("created_at").notNull(),
    /** JSON of what was found, written once; null until then. */
    result: text(),
    finishedAt: integer("finished_at"),
  },
  (t) => [
    index("cross_checks_newest").on(t.symbol, t.createdAt, t.id),
    index("cross_checks_found")
      .on(t.symbol, t.resolution, t.createdAt, t.id)
      .where(sql`result IS NOT NULL`),
  ],
);
