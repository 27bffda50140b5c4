import { barsOf, readJsonBars } from "../../domain/asset/read-bars.ts";
import { understand } from "../../domain/import/understand.ts";
import type { ImportParams } from "../../domain/job/kinds/ingest.ts";
import type { CalendarId } from "../../domain/market/calendar-id.ts";
import { isCalendarId } from "../../domain/market/calendar-id.ts";
import type { Resolution } from "../../domain/market/resolution.ts";
import type { EvaluationDeps } from "../../queues/analysis/evaluations.ts";
import type { IndicatorsDeps } from "../../queues/analysis/indicators.ts";
import type { RecommendationDeps } from "../../queues/analysis/recommendations.ts";
import type { ConsumerDeps, JobBook } from "../../queues/consumer.ts";
import { decodeFile, importRequest, MAX_IMPORT_ROWS } from "../../queues/ingest/import-format.ts";
import type { IngestDeps, Upload } from "../../queues/ingest/ingest-deps.ts";
import { splitsFrom } from "../../read-model/corporate-actions.ts";
import { barsFrom } from "../../read-model/series.ts";
import { noteKnown } from "../../read-model/streams.ts";
import { loadAssets } from "../../records/assets/asset-records.ts";
import { writeFeed } from "../../records/assets/feed-records.ts";
import { loadJobsInSequence, settleJobs, startJobs } from "../../records/jobs/job-records.ts";
import { afterJobs, type ReleasedJob, setJobsAside } from "../../records/jobs/sequence-records.ts";
import { inTime } from "../../timeout.ts";
import { announceFailures, headsOfFailed, recordFailures } from "../failures.ts";
import { assetObject, enqueueJobs, fileUnreadable, type Platform } from "../platform/platform.ts";
import { renew } from "../platform/queues.ts";
import { modelDeps } from "./models.ts";
import { priceDeps } from "./sources.ts";

const UPLOAD_TIMEOUT_MS = 30_000;

export const consumerDeps = (p: Platform): ConsumerDeps => ({
  jobs: jobBook(p),
  now: p.now,
  random: p.random,
  policies: p.config.RETRY_POLICIES,
  log: p.log,
  metrics: p.metrics,
  trace: p.trace,
  fileUnreadable: fileUnreadable(p),
  renew: renew(p),
});

function jobBook(p: Platform): JobBook {
  const { DB } = p.env;
  return {
    load: (ids) => loadJobsInSequence(DB, ids),
    setAside: (ids) => setJobsAside(DB, ids),
    start: async (ids) => {
      if (ids.length > 0) await startJobs(DB, ids).run();
    },
    settle: async (settled) => {
      const now = p.now();
      const failures = settled.flatMap(({ job, settlement }) =>
        settlement.failure === null ? [] : [{ job, settlement, deadLetterId: p.newId() }],
      );
      const heads = [
        ...settled.flatMap(({ head }) => (head === null ? [] : [head])),
        ...(await headsOfFailed(p, failures)),
      ];
      const settlements = settled.map(({ settlement }) => settlement);
      const ended = settled.flatMap(({ job, settlement }) =>
        settlement.dueAt === null ? [job] : [],
      );
      const results = await DB.batch<ReleasedJob>([
        ...(failures.length > 0 ? recordFailures(p, failures, now) : []),
        ...settleJobs(DB, settlements, now),
        ...(heads.length > 0 ? [noteKnown(DB, heads, now)] : []),
        ...(ended.length > 0 ? afterJobs(DB, ended, now) : []),
      ]);
      if (ended.length > 0) await wakeUp(p, results.at(-1)?.results ?? []);
      if (failures.length > 0) await announceFailures(p, failures);
    },
  };
}

/**
 * Tells the workers of jobs that may run now. They are due, so the sweep finds what is lost here.
 */
export async function wakeUp(p: Platform, released: readonly ReleasedJob[]): Promise<void> {
  if (released.length === 0) return;
  await enqueueJobs(p.env, released).catch((error: unknown) =>
    p.log({
      level: "warn",
      message: "wake-up message lost; the sweep sends it again",
      error: String(error),
    }),
  );
}

export function ingestDeps(p: Platform): IngestDeps {
  const { env } = p;
  return {
    asset: async (symbol) => {
      const asset = (await loadAssets(env.DB, [symbol]))[0];
      if (asset === undefined || !isCalendarId(asset.calendar)) return null;
      const { type, currency, calendar, source } = asset;
      return { symbol, type, currency, calendar, source, archived: asset.archivedAt !== null };
    },
    ...priceDeps(p),
    stored: (symbol, resolution, range) => barsFrom(env.DB, symbol, resolution, range),
    splits: (symbol, from) => splitsFrom(env.DB, symbol, from),
    note: async (symbol, resolution, change) => {
      await env.DB.batch(writeFeed(env.DB, symbol, resolution, change, p.now()));
    },
    upload: (params, series) => readUpload(env, params, series),
    ingest: (command) => assetObject(env, command.symbol).ingest(command),
    hash: p.hash,
    now: p.now,
    log: p.log,
  };
}

interface Series {
  readonly resolution: Resolution;
  readonly calendar: CalendarId;
}

async function readUpload(env: Env, params: ImportParams, series: Series): Promise<Upload | null> {
  const object = await env.IMPORTS.get(params.objectKey);
  if (object === null) return null;
  const body = await inTime(object.arrayBuffer(), UPLOAD_TIMEOUT_MS, "the uploaded file");
  const { text } = decodeFile(body);
  const reading =
    params.format === "csv" ? readCsv(text, params, series) : readJson(text, params, series);
  if (reading.ok) return reading;
  if (reading.kind === "file") {
    return {
      ok: false,
      error: { code: "import.unreadable_file", detail: reading.errors.join("; ") },
    };
  }
  const { errors, total } = reading;
  const detail = `${total} row(s) cannot be read; nothing was stored`;
  return { ok: false, error: { code: "bars.refused", detail, errors, total } };
}

function readCsv(text: string, { answers }: ImportParams, { resolution, calendar }: Series) {
  const rules = { maxRows: MAX_IMPORT_ROWS, calendar, answers: { ...answers, resolution } };
  const understood = understand(text, rules);
  const reading = barsOf(understood);
  if (!reading.ok || understood.skippedTotal === 0) return reading;
  return { ...reading, skipped: { total: understood.skippedTotal, rows: understood.skipped } };
}

function readJson(body: string, { answers }: ImportParams, series: Series) {
  try {
    const { bars, actions } = importRequest.parse(JSON.parse(body));
    const rules = { ...series, weekDated: answers?.weekDated, timeZone: answers?.timeZone };
    const reading =
      bars.length === 0 ? ({ ok: true, bars: [] } as const) : readJsonBars(bars, rules);
    return reading.ok ? { ...reading, actions } : reading;
  } catch (error) {
    // It was readable when it was accepted. Reading it again will not mend it.
    return { ok: false as const, kind: "file" as const, errors: [String(error)] };
  }
}

export const indicatorsDeps = ({ env, hash, config }: Platform): IndicatorsDeps => ({
  computeIndicators: (command) => assetObject(env, command.symbol).computeIndicators(command),
  hash,
  codeVersion: config.CODE_VERSION,
});

export const recommendationDeps = (p: Platform): RecommendationDeps => ({
  context: (symbol, resolution, engine) =>
    assetObject(p.env, symbol).recommendationContext(symbol, resolution, engine),
  record: (command) => assetObject(p.env, command.symbol).recordRecommendation(command),
  hash: p.hash,
  newId: p.newId,
  codeVersion: p.config.CODE_VERSION,
  ...modelDeps(p),
});

export const evaluationDeps = ({ env, hash }: Platform): EvaluationDeps => ({
  resolve: (command) => assetObject(env, command.symbol).evaluateRecommendations(command),
  hash,
});
