import type { RecommendationResult, RecordRecommendationCommand } from "../domain/asset/commands.ts";
import type { AssetDatabase } from "./asset-object.ts";
import type { Stamp } from "./event-log.ts";

/** Keeps one recommendation; the same snapshot is answered once. Runs inside the object's transaction. */
export function recordRecommendation(
  db: AssetDatabase,
  command: RecordRecommendationCommand,
  stamp: Stamp,
): RecommendationResult {
  const { recommendation } = command;
  const answered = db.sql
    .exec<{ recommendation_id: string }>(
      "SELECT recommendation_id FROM answers WHERE snapshot_hash = ?",
      recommendation.snapshotHash,
    )
    .toArray()[0];
  if (answered !== undefined) {
    const recommendationId = answered.recommendation_id;
    return { kind: "recorded", recommendationId, repeated: true, head: db.log.head() };
  }
  const cause = { ...command.cause, causationId: recommendation.basedOn.eventId };
  const event = { eventType: "RecommendationGenerated", payload: recommendation } as const;
  const outcome = db.log.appendAt(command.expectedVersion, [event], cause, stamp);
  if (outcome.kind === "conflict") return outcome;
  const head = db.log.head();
  db.sql.exec(
    "INSERT INTO answers (snapshot_hash, recommendation_id, version) VALUES (?, ?, ?)",
    recommendation.snapshotHash,
    recommendation.recommendationId,
    head,
  );
  return { kind: "recorded", recommendationId: recommendation.recommendationId, repeated: false, head };
}
