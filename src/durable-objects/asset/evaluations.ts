import type { EvaluationsResult, ResolveCommand } from "../../domain/asset/commands.ts";
import { decideEvaluations, type EvaluationsView } from "../../domain/asset/decide-evaluations.ts";
import type { AdjustmentStep } from "../../domain/asset/total-return.ts";
import type { Resolution } from "../../domain/market/resolution.ts";
import type { EngineRecord } from "../../domain/recommendation/engine-record.ts";
import type { Stamp } from "../event-log.ts";
import type { AssetDatabase } from "./asset-database.ts";
import { knownSplits } from "./known-splits.ts";

/** What one commit resolves at most: some 100 KB of events. The rest is due at the next slot. */
const MAX_AT_ONCE = 100;

/**
 * Judges every call whose horizon bar is there, and keeps the engines' records. Runs inside the
 * object's transaction.
 */
export function evaluateRecommendations(
  db: AssetDatabase,
  command: ResolveCommand,
  stamp: Stamp,
): EvaluationsResult {
  const decision = decideEvaluations(viewOf(db), MAX_AT_ONCE);
  for (const { open, event } of decision.resolved) {
    db.log.append([event], { ...command.cause, causationId: open.eventId }, stamp);
    db.openRecommendations.close(open);
  }
  for (const { resolution, key, record } of decision.records)
    writeRecord(db, resolution, key, record);
  return { resolved: decision.resolved.length, head: db.log.head() };
}

function viewOf(db: AssetDatabase): EvaluationsView {
  const fact = db.asset.required();
  const known = new Map<Resolution, readonly AdjustmentStep[]>();
  const splits = (resolution: Resolution) => {
    const steps = known.get(resolution) ?? knownSplits(db, fact, resolution);
    known.set(resolution, steps);
    return steps;
  };
  return {
    fact,
    splits,
    openRecommendations: db.openRecommendations.list(),
    barAt: (resolution, timestamp) => db.bars.at(resolution, timestamp),
    barAfter: (resolution, timestamp, count) => db.bars.nthAfter(resolution, timestamp, count),
    closesUpTo: (resolution, timestamp, count) => db.bars.closesUpTo(resolution, timestamp, count),
    record: (resolution, key) => readRecord(db, resolution, key),
  };
}

/** How an engine has fared on a series; null before its first counted resolution. */
export function readRecord(
  { sql }: AssetDatabase,
  resolution: Resolution,
  key: string,
): EngineRecord | null {
  const row = sql
    .exec<{ record: string }>(
      "SELECT record FROM engine_records WHERE resolution = ? AND engine = ?",
      resolution,
      key,
    )
    .toArray()[0];
  return row === undefined ? null : (JSON.parse(row.record) as EngineRecord);
}

function writeRecord(
  { sql }: AssetDatabase,
  resolution: Resolution,
  key: string,
  record: EngineRecord,
): void {
  sql.exec(
    "INSERT OR REPLACE INTO engine_records (resolution, engine, record) VALUES (?, ?, ?)",
    resolution,
    key,
    JSON.stringify(record),
  );
}
