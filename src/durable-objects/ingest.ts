import type { IngestCommand, IngestResult } from "../domain/asset/commands.ts";
import { ingestEvents } from "../domain/asset/ingest.ts";
import { mergeBars } from "../domain/asset/merge-bars.ts";
import type { AssetDatabase } from "./asset-object.ts";
import type { Stamp } from "./event-log.ts";

/** One commit of bars: rows, events and what the analysis must redo. Runs inside the object's transaction. */
export function ingestBars(db: AssetDatabase, command: IngestCommand, stamp: Stamp): IngestResult {
  db.asset.required();
  const first = command.bars[0];
  const last = command.bars.at(-1);
  if (first === undefined || last === undefined) {
    return { added: 0, revised: 0, unchanged: 0, head: db.log.head() };
  }
  const existing = new Map(
    db.bars.between(command.resolution, first.timestamp, last.timestamp).map((bar) => [bar.timestamp, bar]),
  );
  const merge = mergeBars(existing, command.bars);
  const commits = ingestEvents(merge, {
    symbol: command.symbol,
    resolution: command.resolution,
    source: command.source,
    scheduleId: command.scheduleId,
    slot: command.slot,
  });
  const appended = db.log.append(
    commits.map(({ event }) => event),
    command.cause,
    stamp,
  );
  let earliest = Number.POSITIVE_INFINITY;
  for (const [index, { bars }] of commits.entries()) {
    const version = appended[index]?.version;
    if (version === undefined) throw new Error("an event was not appended");
    db.bars.write(command.resolution, bars, version);
    for (const bar of bars) earliest = Math.min(earliest, bar.timestamp);
  }
  if (Number.isFinite(earliest)) db.analysis.barsChangedFrom(command.resolution, earliest);
  return {
    added: merge.added.length,
    revised: merge.revised.length,
    unchanged: merge.unchanged,
    head: db.log.head(),
  };
}
