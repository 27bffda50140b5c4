import { integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/**
 * What is known against the way a series is fed: `trouble` (one row at 0: why it gets no bars) and
 * `offSession` (the instants of rows that were left out because the market was closed). WITHOUT
 * ROWID (by hand in the migration).
 */
export const feedNotes = sqliteTable(
  "feed_notes",
  {
    symbol: text().notNull(),
    kind: text({ enum: ["trouble", "offSession"] }).notNull(),
    resolution: text().notNull(),
    at: integer().notNull(),
    source: text().notNull(),
    outcome: text(),
    detail: text(),
    notedAt: integer("noted_at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.symbol, t.kind, t.resolution, t.at] })],
);
