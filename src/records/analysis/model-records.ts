import type { ModelAnswer } from "../../domain/recommendation/llm/answer.ts";
import type { AuditOutcome, ModelAudit, ModelTry } from "../../domain/recommendation/llm/audit.ts";
import { budgetDay } from "../../domain/recommendation/llm/budget.ts";
import { type FallbackReason, isFallbackReason } from "../../domain/recommendation/llm/fallback.ts";
import type { Reader } from "../../reader.ts";

/** A question that has its answer, or that was answered in a way nobody can use. */
export type Settled =
  | {
      readonly kind: "accepted";
      readonly answer: ModelAnswer;
      readonly modelId: string;
      readonly recommendationId: string;
    }
  | {
      readonly kind: "refused";
      readonly reason: FallbackReason;
      readonly recommendationId: string;
    };

export type Claim =
  | { readonly kind: "mine" }
  | { readonly kind: "busy"; readonly until: number }
  | Settled;

interface AnswerRow {
  state: string;
  holder: string;
  lease_until: number;
  answer: string | null;
  model_id: string | null;
  reason: string | null;
  recommendation_id: string | null;
}

function settledOf(row: AnswerRow): Settled | null {
  const recommendationId = row.recommendation_id ?? "";
  if (row.state === "accepted" && row.answer !== null) {
    const answer = JSON.parse(row.answer) as ModelAnswer;
    return { kind: "accepted", answer, modelId: row.model_id ?? "", recommendationId };
  }
  if (row.state !== "refused") return null;
  const reason = row.reason ?? "";
  return {
    kind: "refused",
    reason: isFallbackReason(reason) ? reason : "guardrail",
    recommendationId,
  };
}

const SELECT = `SELECT state, holder, lease_until, answer, model_id, reason, recommendation_id
  FROM model_answers WHERE question = ?`;

/**
 * Takes a question in hand until `until`, unless somebody else has it or it is settled. Of several
 * at once one gets it.
 */
export async function claimQuestion(
  db: D1Database,
  question: string,
  holder: string,
  now: number,
  until: number,
): Promise<Claim> {
  const results = await db.batch<AnswerRow>([
    db
      .prepare(
        `INSERT INTO model_answers (question, state, holder, lease_until, created_at) VALUES (?1, 'asking', ?2, ?3, ?4)
         ON CONFLICT (question) DO UPDATE SET holder = excluded.holder, lease_until = excluded.lease_until
         WHERE state = 'asking' AND lease_until <= ?4`,
      )
      .bind(question, holder, until, now),
    db.prepare(SELECT).bind(question),
  ]);
  const row = results[1]?.results[0];
  if (row === undefined) throw new Error("a question that was just written is not there");
  return (
    settledOf(row) ??
    (row.holder === holder ? { kind: "mine" } : { kind: "busy", until: row.lease_until })
  );
}

/** What became of a question, without taking it in hand. */
export async function lookUpQuestion(db: Reader, question: string): Promise<Settled | null> {
  const row = await db.prepare(SELECT).bind(question).first<AnswerRow>();
  return row === null ? null : settledOf(row);
}

/** Lets somebody else have a question that stays unanswered. */
export const releaseQuestion = (
  db: D1Database,
  question: string,
  holder: string,
): D1PreparedStatement =>
  db
    .prepare("DELETE FROM model_answers WHERE question = ? AND holder = ? AND state = 'asking'")
    .bind(question, holder);

/**
 * Sets a question's end down. Whose lease has run out and been taken by another is too late: that
 * one's answer counts.
 */
export const settleQuestion = (
  db: D1Database,
  question: string,
  holder: string,
  settled: Settled,
): D1PreparedStatement =>
  db
    .prepare(
      `UPDATE model_answers SET state = ?3, answer = ?4, model_id = ?5, reason = ?6, recommendation_id = ?7
       WHERE question = ?1 AND holder = ?2 AND state = 'asking'`,
    )
    .bind(
      question,
      holder,
      settled.kind,
      settled.kind === "accepted" ? JSON.stringify(settled.answer) : null,
      settled.kind === "accepted" ? settled.modelId : null,
      settled.kind === "refused" ? settled.reason : null,
      settled.recommendationId,
    );

/**
 * Reserves tokens of a day, or tells that the day has not so many left. One statement, so no two
 * get the same ones.
 */
export async function reserveTokens(
  db: D1Database,
  now: number,
  tokens: number,
  max: number,
): Promise<boolean> {
  const row = await db
    .prepare(
      `INSERT INTO model_budgets (day, tokens, calls) SELECT ?1, ?2, 1 WHERE ?2 <= ?3
       ON CONFLICT (day) DO UPDATE SET tokens = tokens + ?2, calls = calls + 1 WHERE tokens + ?2 <= ?3
       RETURNING day`,
    )
    .bind(budgetDay(now), tokens, max)
    .first();
  return row !== null;
}

/**
 * Sets a reservation of the day of `reservedAt` right: `tokens` more than was reserved, or less.
 */
export const settleTokens = (
  db: D1Database,
  reservedAt: number,
  tokens: number,
): D1PreparedStatement =>
  db
    .prepare("UPDATE model_budgets SET tokens = max(0, tokens + ?2) WHERE day = ?1")
    .bind(budgetDay(reservedAt), tokens);

export const writeAudit = (db: D1Database, audit: ModelAudit): D1PreparedStatement =>
  db
    .prepare(
      `INSERT OR IGNORE INTO model_audits (id, question, recommendation_id, job_id, symbol, variant, provider, model,
         prompt_version, snapshot_hash, prompt_hash, prompt, tries, outcome, reason, raw_confidence, tokens, latency_ms,
         traceparent, created_at)
       SELECT ${AUDIT_FIELDS.map((field) => `value ->> '${field}'`).join(", ")} FROM json_each(?)`,
    )
    .bind(JSON.stringify([{ ...audit, tries: JSON.stringify(audit.tries) }]));

const AUDIT_FIELDS = [
  "id",
  "question",
  "recommendationId",
  "jobId",
  "symbol",
  "variant",
  "provider",
  "model",
  "promptVersion",
  "snapshotHash",
  "promptHash",
  "prompt",
  "tries",
  "outcome",
  "reason",
  "rawConfidence",
  "tokens",
  "latencyMs",
  "traceparent",
  "createdAt",
] as const satisfies readonly (keyof ModelAudit)[];

/** Names the recommendation that an audit belongs to, where an older one turned out to stand. */
export const moveAudits = (db: D1Database, from: string, to: string): D1PreparedStatement =>
  db
    .prepare("UPDATE model_audits SET recommendation_id = ?2 WHERE recommendation_id = ?1")
    .bind(from, to);

type AuditRow = Record<
  | "id"
  | "question"
  | "recommendation_id"
  | "job_id"
  | "symbol"
  | "variant"
  | "provider"
  | "model"
  | "prompt_version"
  | "snapshot_hash"
  | "prompt_hash"
  | "prompt"
  | "tries",
  string
> & {
  outcome: AuditOutcome;
  reason: FallbackReason | null;
  raw_confidence: number | null;
  tokens: number;
  latency_ms: number;
  traceparent: string | null;
  created_at: number;
};

/** The times a model was asked for a recommendation, newest first. */
export async function auditsOf(
  db: Reader,
  recommendationId: string,
  limit: number,
): Promise<ModelAudit[]> {
  const { results } = await db
    .prepare("SELECT * FROM model_audits WHERE recommendation_id = ? ORDER BY id DESC LIMIT ?")
    .bind(recommendationId, limit)
    .all<AuditRow>();
  return results.map((row) => ({
    id: row.id,
    question: row.question,
    recommendationId: row.recommendation_id,
    jobId: row.job_id,
    symbol: row.symbol,
    variant: row.variant,
    provider: row.provider,
    model: row.model,
    promptVersion: row.prompt_version,
    snapshotHash: row.snapshot_hash,
    promptHash: row.prompt_hash,
    prompt: row.prompt,
    tries: JSON.parse(row.tries) as ModelTry[],
    outcome: row.outcome,
    reason: row.reason,
    rawConfidence: row.raw_confidence,
    tokens: row.tokens,
    latencyMs: row.latency_ms,
    traceparent: row.traceparent,
    createdAt: row.created_at,
  }));
}

/** Forgets audits and answers from before an instant, at most `limit` of each. Tells how many. */
export async function pruneModelRecords(
  db: D1Database,
  before: number,
  limit: number,
): Promise<number> {
  const results = await db.batch([
    ...["model_audits", "model_answers"].map((table) => {
      const key = table === "model_audits" ? "id" : "question";
      return db
        .prepare(
          `DELETE FROM ${table} WHERE ${key} IN (
             SELECT ${key} FROM ${table} WHERE created_at < ?1 ORDER BY created_at LIMIT ?2)`,
        )
        .bind(before, limit);
    }),
    db.prepare("DELETE FROM model_budgets WHERE day < ?").bind(budgetDay(before)),
  ]);
  return results.reduce((sum, { meta }) => sum + meta.changes, 0);
}
