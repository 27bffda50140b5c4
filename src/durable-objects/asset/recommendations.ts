import type {
  RecommendationResult,
  RecordRecommendationCommand,
} from "../../domain/asset/commands.ts";
import { decideRecommendation } from "../../domain/asset/decide.ts";
import type { Stamp } from "../event-log.ts";
import type { AssetDatabase } from "./asset-database.ts";
import { acceptedOrThrow } from "./asset-record.ts";

/**
 * Keeps one recommendation; the same snapshot is answered once. Runs inside the object's
 * transaction.
 */
export function recordRecommendation(
  db: AssetDatabase,
  command: RecordRecommendationCommand,
  stamp: Stamp,
): RecommendationResult {
  const { recommendation, expectedVersion } = command;
  const { snapshotHash } = recommendation;
  const version = db.log.head();
  const first = answerTo(db, snapshotHash);
  const decision = decideRecommendation(
    { fact: db.asset.fact(), version, answerTo: () => first },
    command,
  );
  if (decision.kind === "refused" && decision.error.code === "stream.version_conflict") {
    return { kind: "conflict", expected: expectedVersion, actual: version };
  }
  const events = acceptedOrThrow(decision);
  if (first !== null)
    return { kind: "recorded", recommendationId: first, repeated: true, head: version };
  const cause = { ...command.cause, causationId: recommendation.basedOn.eventId };
  // The decision has compared the versions already; the log compares them again, because it is the
  // log's promise.
  const outcome = db.log.appendAt(expectedVersion, events, cause, stamp);
  if (outcome.kind === "conflict") return outcome;
  const { recommendationId } = recommendation;
  const head = db.log.head();
  db.sql.exec(
    "INSERT INTO answers (snapshot_hash, recommendation_id, version) VALUES (?, ?, ?)",
    snapshotHash,
    recommendationId,
    head,
  );
  db.openRecommendations.add(recommendation, head);
  return { kind: "recorded", recommendationId, repeated: false, head };
}

const answerTo = ({ sql }: AssetDatabase, snapshotHash: string): string | null =>
  sql
    .exec<{ recommendation_id: string }>(
      "SELECT recommendation_id FROM answers WHERE snapshot_hash = ?",
      snapshotHash,
    )
    .toArray()[0]?.recommendation_id ?? null;
