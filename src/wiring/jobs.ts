import { readCsvBars, readJsonBars } from "../domain/asset/read-bars.ts";
import type { AnyEvent } from "../domain/events/envelope.ts";
import { jobStream } from "../domain/events/envelope.ts";
import { isCalendarId } from "../domain/market/calendar-id.ts";
import type { ConsumerDeps, JobBook, SettledJob } from "../queues/consumer.ts";
import { importRequest, MOST_IMPORT_ROWS } from "../queues/import-format.ts";
import type { IndicatorsDeps } from "../queues/indicators.ts";
import type { IngestDeps, Upload } from "../queues/ingest.ts";
import type { RecommendationDeps } from "../queues/recommendations.ts";
import { project } from "../read-model/projections.ts";
import { lastBarOf } from "../read-model/series.ts";
import { noteKnown } from "../read-model/streams.ts";
import { loadAssets } from "../records/asset-records.ts";
import { writeAudit } from "../records/audit.ts";
import { fileDeadLetters } from "../records/dead-letter-records.ts";
import { loadJobs, settleJobs, startJobs } from "../records/job-records.ts";
import { demoSource } from "../sources/demo.ts";
import type { PriceSource } from "../sources/price-source.ts";
import { assetObject, fileUnreadable, type Platform, toMessage } from "./common.ts";

const SOURCE_TIMEOUT_MS = 10_000;

export const consumerDeps = (p: Platform): ConsumerDeps => ({
  jobs: jobBook(p),
  now: p.now,
  chance: p.chance,
  log: p.log,
  fileUnreadable: fileUnreadable(p),
});

function jobBook(p: Platform): JobBook {
  const { DB } = p.env;
  return {
    load: (ids) => loadJobs(DB, ids),
    start: async (ids) => {
      if (ids.length > 0) await startJobs(DB, ids).run();
    },
    settle: async (settled) => {
      const now = p.now();
      const heads = settled.flatMap(({ head }) => (head === null ? [] : [head]));
      const statements = [
        settleJobs(
          DB,
          settled.map(({ settlement }) => settlement),
          now,
        ),
      ];
      if (heads.length > 0) statements.push(noteKnown(DB, heads, now));
      const failures = settled.filter(({ settlement }) => settlement.failure !== null);
      if (failures.length > 0) statements.push(...recordFailures(p, failures, now));
      await DB.batch(statements);
      if (failures.length > 0) await announce(p, failures);
    },
  };
}

/** A job that failed for good leaves an event, an audit row and, when its retries ran out, a dead letter. */
function recordFailures(p: Platform, failures: readonly SettledJob[], now: number): D1PreparedStatement[] {
  const { DB } = p.env;
  const events = failures.flatMap(({ job, settlement }): AnyEvent[] => {
    if (settlement.failure === null) return [];
    return [
      {
        eventId: p.newId(),
        schemaVersion: 1,
        streamId: jobStream(job.id),
        version: job.redrives + 1,
        occurredAt: new Date(now).toISOString(),
        tenantId: "default",
        actorId: job.actor,
        jobId: job.id,
        correlationId: job.correlationId,
        causationId: job.causationId,
        ...settlement.failure,
      },
    ];
  });
  const statements = [
    ...project(DB, events, now),
    noteKnown(
      DB,
      events.map(({ streamId, version }) => ({ streamId, version })),
      now,
    ),
    writeAudit(
      DB,
      failures.map(({ job, settlement }) => ({
        id: p.newId(),
        at: now,
        actor: job.actor,
        action: "job.failed",
        subject: job.id,
        outcome: settlement.failure?.eventType ?? "",
        detail: settlement.error?.detail ?? null,
      })),
    ),
  ];
  const exhausted = failures.filter(({ settlement }) => settlement.failure?.eventType === "RetryExhausted");
  if (exhausted.length > 0) {
    statements.push(
      fileDeadLetters(
        DB,
        exhausted.map(({ job, settlement }) => ({
          id: p.newId(),
          queue: job.kind,
          subject: job.id,
          symbol: job.symbol,
          body: toMessage(job),
          error: settlement.error ?? { code: "unknown", detail: "" },
          attempts: settlement.attempt.number,
          createdAt: now,
        })),
      ),
    );
  }
  return statements;
}

/** Tells the events consumer of the failures; if this is lost the sweep finds the streams behind. */
async function announce(p: Platform, failures: readonly SettledJob[]): Promise<void> {
  await p.env.EVENTS_QUEUE.sendBatch(
    failures.map(({ job }) => ({
      body: { streamId: jobStream(job.id), version: job.redrives + 1, event: null },
    })),
  ).catch((error: unknown) =>
    p.log({ level: "warn", message: "failure not announced", error: String(error) }),
  );
}

export function ingestDeps(p: Platform): IngestDeps {
  const { env } = p;
  return {
    asset: async (symbol) => {
      const asset = (await loadAssets(env.DB, [symbol]))[0];
      if (asset === undefined || !isCalendarId(asset.calendar)) return null;
      return { symbol, calendar: asset.calendar, source: asset.source, archived: asset.archivedAt !== null };
    },
    lastBar: (symbol, resolution) => lastBarOf(env.DB, symbol, resolution),
    prices: async (name, request) => {
      const source = priceSource(p, name);
      if (source === null)
        return { outcome: "NotConfigured", detail: `the price source ${name} is not configured` };
      return source.history(request);
    },
    upload: (objectKey, format) => readUpload(env, objectKey, format),
    ingest: (command) => assetObject(env, command.symbol).ingest(command),
    hash: p.hash,
    now: p.now,
  };
}

function priceSource({ config }: Platform, name: string): PriceSource | null {
  if (name === "demo" && config.DEMO && config.DEMO_SOURCE_URL !== "") {
    return demoSource({
      baseUrl: config.DEMO_SOURCE_URL,
      fetch: (input, init) => fetch(input, init),
      timeoutMs: SOURCE_TIMEOUT_MS,
    });
  }
  return null;
}

async function readUpload(env: Env, objectKey: string, format: "csv" | "json"): Promise<Upload | null> {
  const object = await env.IMPORTS.get(objectKey);
  if (object === null) return null;
  const body = await object.text();
  const reading =
    format === "csv"
      ? readCsvBars(body, { maxRows: MOST_IMPORT_ROWS })
      : readJsonBars(importRequest.parse(JSON.parse(body)).bars);
  if (reading.ok) return { ok: true, bars: reading.bars };
  if (reading.kind === "file") {
    return { ok: false, error: { code: "file_unreadable", detail: reading.errors.join("; ") } };
  }
  const { errors, total } = reading;
  const detail = `${total} row(s) cannot be read; nothing was stored`;
  return { ok: false, error: { code: "bars_refused", detail, errors, total } };
}

export const indicatorsDeps = ({ env, hash, config }: Platform): IndicatorsDeps => ({
  computeIndicators: (command) => assetObject(env, command.symbol).computeIndicators(command),
  hash,
  codeVersion: config.CODE_VERSION,
});

export const recommendationDeps = ({ env, hash, config, newId }: Platform): RecommendationDeps => ({
  context: (symbol, resolution) => assetObject(env, symbol).recommendationContext(symbol, resolution),
  record: (command) => assetObject(env, command.symbol).recordRecommendation(command),
  hash,
  newId,
  codeVersion: config.CODE_VERSION,
});
