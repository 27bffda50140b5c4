import type { IndicatorsCommand, IndicatorsResult } from "../../domain/asset/commands.ts";
import { decideIndicators } from "../../domain/asset/decide-indicators.ts";
import type { Stamp } from "../event-log.ts";
import type { AssetDatabase } from "./asset-database.ts";
import { knownSplits } from "./known-splits.ts";

/**
 * One commit of indicators. A changed past or a newer analysis version starts over from the first
 * bar.
 */
export function computeIndicators(
  db: AssetDatabase,
  command: IndicatorsCommand,
  stamp: Stamp,
): IndicatorsResult {
  const { resolution } = command;
  const asset = db.asset.required();
  const decision = decideIndicators(
    asset,
    db.analysis.read(resolution),
    (timestamp) => db.bars.after(resolution, timestamp),
    { ...command, steps: knownSplits(db, asset, resolution) },
  );
  const { events, state, computed, rebuilt, newest } = decision;
  if (events.length === 0) return { computed: 0, rebuilt: false, head: db.log.head() };
  // The newest event behind these bars is their cause, even if an older one's job came to compute
  // them.
  const cause = { ...command.cause, causationId: db.log.idOf(newest) ?? command.cause.causationId };
  const last = db.log.append(events, cause, stamp).at(-1);
  db.analysis.write(resolution, {
    state,
    eventId: last?.eventId ?? null,
    version: last?.version ?? null,
  });
  return { computed, rebuilt, head: db.log.head() };
}
