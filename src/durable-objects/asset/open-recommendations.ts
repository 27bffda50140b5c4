import type { StoredEvent } from "../../domain/events/envelope.ts";
import { upcast } from "../../domain/events/upcast.ts";
import type { OpenRecommendation } from "../../domain/recommendation/evaluation.ts";
import type { RecommendationBody } from "../../domain/recommendation/recommendation.ts";

/** How many open calls one look goes through; a series has as many open as its horizon has bars. */
const MAX_SCANNED = 500;

/**
 * Recommendations that have not been resolved. A row leaves in the transaction that resolves it.
 */
export class OpenRecommendations {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  add({ recommendationId, resolution, asOf }: RecommendationBody, version: number): void {
    this.#sql.exec(
      "INSERT INTO open_calls (resolution, as_of, version, recommendation_id) VALUES (?, ?, ?, ?)",
      resolution,
      asOf,
      version,
      recommendationId,
    );
  }

  /** Open calls, oldest bar first. Consume it before the next await. */
  *list(): Generator<OpenRecommendation> {
    const rows = this.#sql
      .exec<{ version: number; body: string }>(
        `SELECT open_calls.version, events.body FROM open_calls JOIN events USING (version)
         ORDER BY as_of, open_calls.version LIMIT ?`,
        MAX_SCANNED,
      )
      .toArray();
    for (const { version, body } of rows) {
      const event = upcast(JSON.parse(body) as StoredEvent);
      if (event.eventType !== "RecommendationGenerated") continue;
      yield { recommendation: event.payload, eventId: event.eventId, version };
    }
  }

  close({ recommendation, version }: OpenRecommendation): void {
    const { resolution, asOf } = recommendation;
    this.#sql.exec(
      "DELETE FROM open_calls WHERE resolution = ? AND as_of = ? AND version = ?",
      resolution,
      asOf,
      version,
    );
  }
}
