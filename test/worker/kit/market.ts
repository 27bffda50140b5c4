import { env } from "cloudflare:workers";
import { vi } from "vitest";
import type { Bar } from "../../../src/domain/asset/bar.ts";
import { toFact } from "../../../src/domain/asset/bar-fact.ts";
import type { JsonAction } from "../../../src/domain/asset/check-actions.ts";
import type { IngestCommand } from "../../../src/domain/asset/commands.ts";
import type { AnyEvent, Cause } from "../../../src/domain/events/envelope.ts";
import { type JobRecord, type JobRequest, jobId } from "../../../src/domain/job/job.ts";
import type { JobKind } from "../../../src/domain/job/job-kinds.ts";
import type { Resolution } from "../../../src/domain/market/resolution.ts";
import {
  type AssetRecord,
  assetFact,
  writeAsset,
} from "../../../src/records/assets/asset-records.ts";
import { insertJobs, loadJobs } from "../../../src/records/jobs/job-records.ts";
import { toMessage } from "../../../src/wiring/platform/platform.ts";

export const DAY = 86_400_000;
/**
 * Ahead of the real clock, so that alarms set by it do not fire by themselves in the middle of a
 * test.
 */
export const START = Date.UTC(2030, 0, 7, 12);

/** Stops the clock that code reads; only the test moves it. Timers stay real. */
export function stopClock(at = START): void {
  vi.useFakeTimers({ toFake: ["Date"], now: at });
}

export function passSeconds(seconds: number): void {
  vi.setSystemTime(Date.now() + seconds * 1000);
}

export const CAUSE: Cause = {
  actorId: "test",
  jobId: null,
  correlationId: "test",
  causationId: null,
};

export const object = (symbol: string) => env.ASSET_OBJECTS.getByName(symbol);

/** An asset as the API makes one: a row, and the object told of it. */
export async function openAsset(
  symbol: string,
  changes: Partial<AssetRecord> = {},
): Promise<AssetRecord> {
  const asset: AssetRecord = {
    symbol,
    type: "STOCK",
    currency: "USD",
    calendar: "XNYS",
    source: "import",
    live: true,
    createdAt: Date.now(),
    updatedAt: Date.now(),
    archivedAt: null,
    ...changes,
  };
  const { head } = await object(symbol).register({ symbol, cause: CAUSE, fact: assetFact(asset) });
  await writeAsset(env.DB, asset, head).run();
  return asset;
}

/** A wavy series of days from 2020 on, the same at every call. */
export const days = (count: number, from = 0): Bar[] =>
  Array.from({ length: count }, (_, index) => {
    const day = from + index;
    const close = 100 + Math.sin(day / 7) * 12 + Math.cos(day / 31) * 9 + day / 50;
    return {
      timestamp: Date.UTC(2020, 0, 1) + day * DAY,
      open: close - 0.5,
      high: close + 1.5,
      low: close - 1.5,
      close,
      volume: 1000 + (day % 17) * 10,
    };
  });

/**
 * An upload of bars and the job that reads it, recorded as the API records it; its message is the
 * answer.
 */
export async function enqueueImport(
  symbol: string,
  slot: string,
  bars: readonly Bar[],
  resolution: Resolution = "1d",
  actions: readonly JsonAction[] = [],
) {
  const objectKey = `${symbol}/${slot}`;
  await env.IMPORTS.put(objectKey, JSON.stringify({ resolution, bars: bars.map(toFact), actions }));
  const params = { mode: "import", objectKey, format: "json" } as const;
  return enqueueJob("ingest", symbol, slot, { resolution, params });
}

/** Records a job and gives back its message, sent nowhere yet. */
export async function enqueueJob(
  kind: JobKind,
  symbol: string,
  slot: string,
  changes: Partial<JobRequest> = {},
) {
  const id = jobId(kind, symbol, slot);
  const order: JobRequest = {
    id,
    kind,
    symbol,
    resolution: "1d",
    params: { mode: "derived" },
    slot: null,
    scheduleId: null,
    correlationId: id,
    causationId: null,
    actor: "test",
    ...changes,
  };
  await insertJobs(env.DB, [{ ...order, dueAt: Date.now() }], Date.now()).run();
  return toMessage(order);
}

/** Why a call to an object is refused, or null when it is not. */
export async function refusalOf(call: PromiseLike<unknown>): Promise<string | null> {
  try {
    await call;
    return null;
  } catch (error) {
    return String(error);
  }
}

export async function job(id: string): Promise<JobRecord> {
  const found = (await loadJobs(env.DB, [id]))[0];
  if (found === undefined) throw new Error(`no job ${id}`);
  return found;
}

export async function rows<T = Record<string, unknown>>(
  sql: string,
  ...values: unknown[]
): Promise<T[]> {
  const { results } = await env.DB.prepare(sql)
    .bind(...values)
    .all<T>();
  return results;
}

export async function eventsOf(symbol: string): Promise<AnyEvent[]> {
  const { events } = await object(symbol).readEvents(symbol, 0, 500);
  return events as AnyEvent[];
}

/** What a reader sees of an asset, without ids and clocks, which differ between any two runs. */
export async function readModelOf(symbol: string) {
  const [bars, actions, indicators, recommendations, trackRecord, feed, streams] =
    await Promise.all([
      rows(
        "SELECT timestamp, open, high, low, close, volume, source, version FROM bars WHERE symbol = ?",
        symbol,
      ),
      rows(
        "SELECT ex_date, type, amount, numerator, denominator, source, version FROM corporate_actions WHERE symbol = ?",
        symbol,
      ),
      rows('SELECT timestamp, "values", version FROM indicators WHERE symbol = ?', symbol),
      rows(
        "SELECT as_of, action, version FROM recommendations WHERE symbol = ? ORDER BY version",
        symbol,
      ),
      rows(
        `SELECT as_of, action, outcome, horizon_return, resolved_at, version FROM track_record
       WHERE symbol = ? ORDER BY version`,
        symbol,
      ),
      rows(
        "SELECT version, event_type FROM events WHERE stream_id = ? ORDER BY position",
        `asset/${symbol}`,
      ),
      rows(
        "SELECT known_version, projected_version FROM streams WHERE stream_id = ?",
        `asset/${symbol}`,
      ),
    ]);
  return { bars, actions, indicators, recommendations, trackRecord, feed, streams };
}

/** An ingest of three days as a worker sends it to the object. */
export const ingestOf = (
  symbol: string,
  slot: string,
  changes: Partial<IngestCommand> = {},
): IngestCommand => ({
  symbol,
  cause: CAUSE,
  jobId: `ingest|${symbol}|${slot}`,
  requestHash: slot,
  resolution: "1d",
  source: "import",
  scheduleId: null,
  slot: null,
  bars: days(3),
  ...changes,
});
