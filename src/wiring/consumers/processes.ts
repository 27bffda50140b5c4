import type { AssetFact } from "../../domain/events/catalogue.ts";
import { assetStream } from "../../domain/events/envelope.ts";
import { subjectOf } from "../../domain/job/job.ts";
import type { ProcessRecord } from "../../domain/process/process.ts";
import type { ProcessFact } from "../../domain/process/state.ts";
import { within, workContext } from "../../domain/trace/log-context.ts";
import {
  type Effect,
  type OnboardAssetDeps,
  onboardAsset,
} from "../../queues/processes/onboard-asset.ts";
import { decided, type ProcessesDeps } from "../../queues/processes/processes.ts";
import { listRecommendationsOf } from "../../read-model/recommendations.ts";
import { noteKnown } from "../../read-model/streams.ts";
import {
  type AssetRecord,
  assetAsFound,
  assetFact,
  loadAssets,
  writeAsset,
} from "../../records/assets/asset-records.ts";
import { CANCELLABLE, cancelJob, insertJobs, loadJobs } from "../../records/jobs/job-records.ts";
import { turnOf } from "../../records/jobs/process-audit.ts";
import {
  findProcess,
  hasEffect,
  noteEffect,
  saveProcess,
  unmovedProcesses,
} from "../../records/jobs/process-records.ts";
import { followAsset } from "../../records/jobs/schedule-stops.ts";
import { writeAudit } from "../../records/operations/audit.ts";
import { marketTime } from "../../records/operations/clock-record.ts";
import { headOf } from "../failures.ts";
import { assetObject, enqueueJobs, fileUnreadable, type Platform } from "../platform/platform.ts";

export function processesDeps(p: Platform): ProcessesDeps {
  return {
    now: p.now,
    random: p.random,
    log: p.log,
    trace: p.trace,
    fileUnreadable: fileUnreadable(p),
    load: (id) => findProcess(p.env.DB, id),
    save: (process, facts) => save(p, process, facts),
    send: async (message, delaySeconds) => {
      await p.env.PROCESSES_QUEUE.send(message, { delaySeconds });
    },
    actions: { onboardAsset: onboardAsset(onboardAssetDeps(p)) },
  };
}

/** Marks processes that do not move as stuck, with an audit row each; tells how many. */
export async function markStuckProcesses(p: Platform, limit: number): Promise<number> {
  const now = p.now();
  let marked = 0;
  for (const process of await unmovedProcesses(p.env.DB, now, limit)) {
    const stuck = decided(process, { do: "detectStuck", at: now });
    if ("refused" in stuck || stuck.facts.length === 0) continue;
    if (await save(p, stuck.after, stuck.facts)) marked += 1;
  }
  return marked;
}

const save = (
  p: Platform,
  process: ProcessRecord,
  facts: readonly ProcessFact[],
): Promise<boolean> => {
  const now = p.now();
  return saveProcess(
    p.env.DB,
    process,
    now,
    facts.flatMap((fact) => turnOf(p.newId, process, fact, now)),
  );
};

function onboardAssetDeps(p: Platform): OnboardAssetDeps {
  const { DB } = p.env;
  const logOf = ({ id, traceparent }: ProcessRecord) =>
    within(p.log, workContext({ processId: id }, traceparent));
  /** Stands in the batch of the effect it notes. */
  const noted = (
    { key, process }: Effect,
    action: string,
    subject: string,
    detail: string | null,
  ) => {
    const { id: processId, actor, traceparent } = process;
    const audit = {
      id: p.newId(),
      at: p.now(),
      actor,
      action,
      subject,
      outcome: "done",
      detail,
      traceparent,
    };
    return noteEffect(DB, { processId, key, audit });
  };
  /**
   * Throws when the asset is no longer what it was read as: the step is tried again, and looks
   * again.
   */
  const notifyObject = async (
    { process, key }: Effect,
    fact: AssetFact,
    before: AssetRecord | undefined,
  ): Promise<number> => {
    const expected = before === undefined ? null : assetFact(before);
    const cause = {
      actorId: process.actor,
      jobId: null,
      correlationId: process.id,
      causationId: null,
    };
    const command = {
      symbol: fact.symbol,
      fact,
      expected,
      cause: { ...cause, traceparent: process.traceparent },
    };
    const { head, found } = await assetObject(p.env, fact.symbol).register(command);
    if (found !== undefined) {
      await writeAsset(DB, assetAsFound(found, before, p.now()), head).run();
      throw new Error(`${fact.symbol} was changed by somebody else in this moment`);
    }
    logOf(process)({
      level: "info",
      message: "asset told",
      symbol: fact.symbol,
      effect: key,
      head,
    });
    return head;
  };
  return {
    standing: async (symbol, processId, key) => {
      const [asset] = await loadAssets(DB, [symbol]);
      const ours = await hasEffect(DB, processId, key);
      return { watched: asset !== undefined && asset.archivedAt === null, ours };
    },
    register: async (effect, { resolutions: _, ...asset }) => {
      const now = p.now();
      const [existing] = await loadAssets(DB, [asset.symbol]);
      const head = await notifyObject(effect, { ...asset, archived: false }, existing);
      const createdAt = existing?.createdAt ?? now;
      await DB.batch([
        writeAsset(DB, { ...asset, createdAt, updatedAt: now, archivedAt: null }, head),
        ...followAsset(DB, asset.symbol, now),
        noteKnown(DB, [{ streamId: assetStream(asset.symbol), version: head }], now),
        ...noted(effect, "asset.register", asset.symbol, null),
      ]);
    },
    archive: async (effect, symbol) => {
      const now = p.now();
      const [asset] = await loadAssets(DB, [symbol]);
      if (asset === undefined) return;
      const archived = { ...asset, live: false, archivedAt: now, updatedAt: now };
      const head = await notifyObject(effect, assetFact(archived), asset);
      await DB.batch([
        writeAsset(DB, archived, head),
        ...followAsset(DB, symbol, now),
        noteKnown(DB, [{ streamId: assetStream(symbol), version: head }], now),
        ...noted(effect, "asset.archive", symbol, null),
      ]);
    },
    enqueueBackfill: async ({ process }, { symbol, resolutions }, ids) => {
      const now = p.now();
      const until = await marketTime(DB, p.config, now);
      const requests = resolutions.map((resolution, index) => ({
        id: ids[index] ?? "",
        kind: "ingest" as const,
        symbol,
        resolution,
        params: { mode: "source" as const, until, backfill: true },
        slot: null,
        scheduleId: null,
        correlationId: process.id,
        causationId: null,
        actor: process.actor,
        traceparent: process.traceparent,
        dueAt: now,
      }));
      await insertJobs(DB, requests, now).run();
      await enqueueJobs(p.env, requests);
    },
    jobs: (ids) => (ids.length === 0 ? Promise.resolve([]) : loadJobs(DB, ids)),
    cancelJobs: async ({ process }, symbol, ids) => {
      const now = p.now();
      const statements = ids.flatMap((id) => [
        writeAudit(
          DB,
          [
            {
              id: p.newId(),
              at: now,
              actor: process.actor,
              action: "job.cancel",
              subject: id,
              outcome: "done",
              detail: null,
              traceparent: process.traceparent,
            },
          ],
          CANCELLABLE,
        ),
        ...cancelJob(DB, id, now),
      ]);
      if (statements.length === 0) return;
      await DB.batch(statements);
      // An attempt that nobody saw the end of may have taken effect: its event must reach the read
      // model all the same.
      const heads = await headOf(p, subjectOf("ingest", symbol));
      if (heads.length > 0) await noteKnown(DB, heads, now).run();
    },
    hasRecommendation: async (symbol) =>
      (await listRecommendationsOf(DB, symbol, {}, null, 1)).length > 0,
    // The port of notifications takes this over; until then the log and the audit are who is told.
    notify: async (effect, subject, detail) => {
      if (await hasEffect(DB, effect.process.id, effect.key)) return;
      logOf(effect.process)({ level: "info", message: "notification", subject, text: detail });
      await DB.batch(noted(effect, "notification.send", subject, detail));
    },
  };
}
