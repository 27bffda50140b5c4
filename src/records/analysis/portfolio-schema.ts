import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

/**
 * Lists of assets that are looked at together. Archived ones are shown no more; what was found out
 * about them is.
 */
export const portfolios = sqliteTable("portfolios", {
  id: text().primaryKey(),
  name: text().notNull(),
  /** JSON list, in the order people gave. */
  symbols: text().notNull(),
  resolution: text().notNull(),
  /** JSON: what an optimisation that nobody described is asked, as on a schedule. */
  optimization: text().notNull(),
  createdAt: integer("created_at").notNull(),
  updatedAt: integer("updated_at").notNull(),
  archivedAt: integer("archived_at"),
});

/** One row per optimisation that was ordered; its state stands in its job. */
export const portfolioOptimizations = sqliteTable(
  "portfolio_optimizations",
  {
    jobId: text("job_id").primaryKey(),
    portfolioId: text("portfolio_id").notNull(),
    createdAt: integer("created_at").notNull(),
    /** JSON of what came out, written once; null until then. */
    result: text(),
    finishedAt: integer("finished_at"),
  },
  (t) => [index("portfolio_optimizations_newest").on(t.portfolioId, t.createdAt, t.jobId)],
);
