import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

/**
 * What callers' tracing systems said with their traces (W3C `tracestate`), for the receivers of the
 * webhooks that a trace sets off. WITHOUT ROWID (by hand in the migration).
 */
export const traceStates = sqliteTable(
  "trace_states",
  {
    /** 32 hexadecimal digits, as in `traceparent`. */
    traceId: text("trace_id").primaryKey(),
    state: text().notNull(),
    createdAt: integer("created_at").notNull(),
  },
  (t) => [index("trace_states_created").on(t.createdAt)],
);
