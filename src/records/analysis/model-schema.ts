import { index, integer, real, sqliteTable, text } from "drizzle-orm/sqlite-core";

/* What language models were asked and said. Small rows that are rewritten are WITHOUT ROWID (by hand in the migration). */

/** Questions in work and their answers: the same question is paid for once. */
export const modelAnswers = sqliteTable(
  "model_answers",
  {
    /**
     * SHA-256 of snapshot, engine and prompt version, provider and model: everything that decides
     * an answer.
     */
    question: text().primaryKey(),
    /** asking → accepted or refused. */
    state: text().notNull(),
    /** Who is asking, and until when nobody else may. */
    holder: text().notNull(),
    leaseUntil: integer("lease_until").notNull(),
    /** The answer as it passed the checks, JSON; null while asking and when refused. */
    answer: text(),
    /** The model that answered, by its own name. */
    modelId: text("model_id"),
    /** Why it was refused. */
    reason: text(),
    recommendationId: text("recommendation_id"),
    createdAt: integer("created_at").notNull(),
  },
  (t) => [index("model_answers_created").on(t.createdAt)],
);

/**
 * Each time a model was asked, with all that was said. One row holds the first try and its repair.
 */
export const modelAudits = sqliteTable(
  "model_audits",
  {
    id: text().primaryKey(),
    question: text().notNull(),
    recommendationId: text("recommendation_id").notNull(),
    jobId: text("job_id").notNull(),
    symbol: text().notNull(),
    variant: text().notNull(),
    provider: text().notNull(),
    model: text().notNull(),
    promptVersion: text("prompt_version").notNull(),
    snapshotHash: text("snapshot_hash").notNull(),
    promptHash: text("prompt_hash").notNull(),
    prompt: text().notNull(),
    /**
     * JSON list of tries: response, model id, finish reason, tokens, latency, verdict of each
     * check, or the failure.
     */
    tries: text().notNull(),
    /** accepted, repaired, refused or failed. */
    outcome: text().notNull(),
    reason: text(),
    /** Its own probability, which is never published. */
    rawConfidence: real("raw_confidence"),
    tokens: integer().notNull(),
    latencyMs: integer("latency_ms").notNull(),
    traceparent: text(),
    createdAt: integer("created_at").notNull(),
  },
  (t) => [
    index("model_audits_recommendation").on(t.recommendationId),
    index("model_audits_created").on(t.createdAt),
  ],
);

/** Tokens of each UTC day, all workers together: reserved before a call, set right after it. */
export const modelBudgets = sqliteTable("model_budgets", {
  /** YYYY-MM-DD. */
  day: text().primaryKey(),
  tokens: integer().notNull(),
  calls: integer().notNull(),
});
