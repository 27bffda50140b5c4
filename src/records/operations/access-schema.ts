import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

/**
 * Who may do what, and what each of them has asked for already. Instants are epoch milliseconds,
 * JSON is text.
 */
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

export const idempotencyKeys = sqliteTable(
  "idempotency_keys",
  {
    /** API key id + Idempotency-Key header. */
    key: text().primaryKey(),
    route: text().notNull().default(""),
    requestHash: text("request_hash").notNull(),
    status: integer(),
    headers: text(),
    /** The answer as repetitions get it; never with a secret in it. */
    body: text(),
    createdAt: integer("created_at").notNull(),
    /** When it was last taken in hand; null in rows of before there was this. */
    claimedAt: integer("claimed_at"),
  },
  (t) => [index("idempotency_keys_created").on(t.createdAt)],
);
