import { actionsOf, fromActionFact } from "../../domain/asset/action-fact.ts";
import { barsOf, fromFact } from "../../domain/asset/bar-fact.ts";
import type { IngestCommand, IngestResult } from "../../domain/asset/commands.ts";
import { decideIngest } from "../../domain/asset/decide.ts";
import type { Stamp } from "../event-log.ts";
import type { AssetDatabase } from "./asset-database.ts";
import { acceptedOrThrow } from "./asset-record.ts";
import { splitsChanged } from "./known-splits.ts";

/**
 * One commit of bars and corporate actions: rows, events and what the analysis must redo. Runs
 * inside the object's transaction.
 */
export function ingestBars(db: AssetDatabase, command: IngestCommand, stamp: Stamp): IngestResult {
  const { resolution } = command;
  const view = {
    fact: db.asset.fact(),
    between: (of: typeof resolution, from: number, to: number) => db.bars.between(of, from, to),
    actionsBetween: (from: number, to: number) => db.actions.between(from, to),
  };
  const events = acceptedOrThrow(decideIngest(view, command));
  const appended = db.log.append(events, command.cause, stamp);
  const counts = { added: 0, revised: 0 };
  let changed = 0;
  let earliest = Number.POSITIVE_INFINITY;
  for (const [index, event] of events.entries()) {
    const version = appended[index]?.version;
    if (version === undefined) throw new Error("an event was not appended");
    const bars = barsOf(event).map(fromFact);
    db.bars.write(resolution, bars, version);
    const actions = actionsOf(event).map(fromActionFact);
    db.actions.write(actions, version);
    changed += actions.length;
    counts[event.eventType === "MarketDataRevised" ? "revised" : "added"] += bars.length;
    for (const { timestamp } of bars) earliest = Math.min(earliest, timestamp);
  }
  if (Number.isFinite(earliest)) db.analysis.barsChangedFrom(resolution, earliest);
  if (changed > 0) splitsChanged(db, db.asset.required());
  const unchanged = command.bars.length - counts.added - counts.revised;
  return {
    ...counts,
    unchanged,
    ...(changed > 0 ? { actions: changed } : {}),
    head: db.log.head(),
  };
}
