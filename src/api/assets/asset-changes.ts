import { assetStream, type Cause } from "../../domain/events/envelope.ts";
import { iso } from "../../domain/iso.ts";
import { type JobRequest, jobId } from "../../domain/job/job.ts";
import { findDemoSeries } from "../../domain/market/demo-catalogue.ts";
import type { Resolution } from "../../domain/market/resolution.ts";
import { noteKnown } from "../../read-model/streams.ts";
import {
  type AssetRecord,
  assetAsFound,
  assetFact,
  type StoredAsset,
  writeAsset,
} from "../../records/assets/asset-records.ts";
import { forgetFeed } from "../../records/assets/feed-records.ts";
import { insertJobs } from "../../records/jobs/job-records.ts";
import { followAsset } from "../../records/jobs/schedule-stops.ts";
import { marketTime } from "../../records/operations/clock-record.ts";
import { auditRow } from "../http/audit-row.ts";
import type { ApiEnv, Caller } from "../http/platform.ts";
import { ApiProblem } from "../http/problem.ts";

/** The demo's series behind an asset, if it is one; refuses the demo where it cannot be. */
export function demoSeriesFor(demoOn: boolean, source: string, symbol: string) {
  if (source !== "demo") return undefined;
  if (!demoOn) {
    throw new ApiProblem("validation_failed", "The demo source is only there under `npm start`.", [
      { field: "source", reason: "demo is not available in this installation" },
    ]);
  }
  const series = findDemoSeries(symbol);
  if (series === undefined) {
    throw new ApiProblem("validation_failed", `The demo source has no series ${symbol}.`, [
      { field: "symbol", reason: "not a demo series" },
    ]);
  }
  return series;
}

/** The first job of an asset: its whole history up to the market's now. */
export async function backfillRequests(
  env: ApiEnv["Bindings"],
  asset: AssetRecord,
  resolutions: readonly Resolution[],
  caller: Caller,
): Promise<JobRequest[]> {
  const { api } = env;
  const until = await marketTime(env.DB, api.config, api.now());
  return resolutions.map((resolution) => {
    const id = jobId("ingest", asset.symbol, `backfill:${resolution}:${iso(asset.updatedAt)}`);
    return {
      id,
      kind: "ingest",
      symbol: asset.symbol,
      resolution,
      params: { mode: "source", until, backfill: true },
      slot: null,
      scheduleId: null,
      correlationId: id,
      causationId: null,
      actor: caller.id,
      traceparent: api.traceparent,
    };
  });
}

/**
 * First the fact in the asset's log (repeating it changes nothing), then the record: a crash
 * between is repaired by whoever comes next. Null when the asset is no longer what it was `before`;
 * the record then says what it is.
 */
export async function saveAsset(
  env: ApiEnv["Bindings"],
  before: StoredAsset | undefined,
  asset: AssetRecord,
  caller: Caller,
  action: string,
  jobs: readonly JobRequest[],
): Promise<StoredAsset | null> {
  const { api, DB } = env;
  const now = api.now();
  const cause: Cause = {
    actorId: caller.id,
    jobId: null,
    correlationId: api.newId(),
    causationId: null,
    traceparent: api.traceparent,
  };
  const expected = before === undefined ? null : assetFact(before);
  const { head, found } = await api.register(asset.symbol, assetFact(asset), cause, expected);
  if (found !== undefined) {
    await writeAsset(DB, assetAsFound(found, before, now), head).run();
    return null;
  }
  await DB.batch([
    writeAsset(DB, asset, head),
    ...followAsset(DB, asset.symbol, now),
    noteKnown(DB, [{ streamId: assetStream(asset.symbol), version: head }], now),
    auditRow(env, caller.id, action, asset.symbol),
    ...(asset.archivedAt === null ? [] : [forgetFeed(DB, asset.symbol)]),
    ...(jobs.length > 0
      ? [
          insertJobs(
            DB,
            jobs.map((job) => ({ ...job, dueAt: now })),
            now,
          ),
        ]
      : []),
  ]);
  await api.enqueueJobs(jobs);
  return { ...asset, version: head };
}
