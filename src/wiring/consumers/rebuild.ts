import { symbolOfStream } from "../../domain/events/envelope.ts";
import { upcast } from "../../domain/events/upcast.ts";
import type { Rebuild } from "../../domain/reconciliation/rebuild.ts";
import { text } from "../../queues/consumer.ts";
import type { RebuildDeps, RebuildStep } from "../../queues/reconcile/rebuild.ts";
import { REBUILDABLE, type Rebuildable } from "../../read-model/row-tables.ts";
import {
  actOnTables,
  buildRows,
  compareTables,
  keepRows,
  previousOf,
  shadowOf,
} from "../../read-model/shadow-tables.ts";
import { marksAfter } from "../../read-model/streams.ts";
import {
  findRebuild,
  REBUILD_MOVED,
  takeRebuildStep,
} from "../../records/operations/rebuild-records.ts";
import { readLogPage } from "../operations/stream-logs.ts";
import type { Platform } from "../platform/platform.ts";

export const isRebuildable = (name: string): name is Rebuildable =>
  REBUILDABLE.some((one) => one === name);

const named = (projection: string): Rebuildable => {
  if (!isRebuildable(projection))
    throw new Error(`${projection} is not a projection that can be rebuilt`);
  return projection;
};

export function rebuildDeps(p: Platform): RebuildDeps {
  const { DB } = p.env;
  return {
    log: p.log,
    trace: p.trace,
    load: async (id) => {
      const rebuild = await findRebuild(DB, id);
      return rebuild?.state === "building" || rebuild?.state === "comparing" ? rebuild : null;
    },
    streamsAfter: async (streamId, limit) =>
      (await marksAfter(DB, streamId, limit)).map((position) => position.streamId),
    readLog: (streamId, after) => readLogPage(p, streamId, after),
    knows: (events) => {
      try {
        events.forEach(upcast);
        return true;
      } catch (error) {
        p.log({
          level: "warn",
          message: "events of newer code are not rebuilt",
          error: text(error),
        });
        return false;
      }
    },
    compare: (projection, after) => compareTables(DB, named(projection), after),
    take: (rebuild, step) => take(p, rebuild, step),
    send: async (message, delaySeconds) => {
      await p.env.RECONCILE_QUEUE.send(message, { delaySeconds });
    },
  };
}

async function take(p: Platform, rebuild: Rebuild, step: RebuildStep): Promise<boolean> {
  const { DB } = p.env;
  const now = p.now();
  const projection = named(rebuild.projection);
  const { state, events = [], keep } = step;
  const working = state === "building" || state === "comparing";
  const kept = keep === undefined ? null : symbolOfStream(keep);
  try {
    await DB.batch([
      takeRebuildStep(DB, rebuild, {
        state,
        beside: state === "switched" ? previousOf(projection) : shadowOf(projection),
        cursor: step.cursor,
        difference: step.difference ?? rebuild.difference,
        events: events.length,
        kept: kept === null ? 0 : 1,
        dueAt: working ? now + (step.delaySeconds ?? 0) * 1000 : null,
        finishedAt: null,
      }),
      ...buildRows(DB, projection, events.map(upcast)),
      ...(kept === null ? [] : [keepRows(DB, projection, kept)]),
      ...(state === "switched" ? await actOnTables(DB, projection, "switch") : []),
    ]);
    return true;
  } catch (error) {
    if (text(error).includes(REBUILD_MOVED)) return false;
    throw error;
  }
}
