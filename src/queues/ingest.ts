import type { Bar } from "../domain/asset/bar.ts";
import { checkBars } from "../domain/asset/check-bars.ts";
import type { IngestCommand, IngestResult } from "../domain/asset/commands.ts";
import type { BarRow } from "../domain/asset/read-bar.ts";
import { assetStream } from "../domain/events/envelope.ts";
import type { JobRecord } from "../domain/job/job.ts";
import type { AssetType } from "../domain/market/asset-type.ts";
import { barKey } from "../domain/market/bar-key.ts";
import type { CalendarId } from "../domain/market/calendar-id.ts";
import { lastFinal } from "../domain/market/last-final.ts";
import type { Resolution } from "../domain/market/resolution.ts";
import { done, type Outcome, type Problem, refused } from "../domain/outcome.ts";
import { jobContext, type Log } from "../domain/trace/log-context.ts";
import { askSources, type Prices } from "./ask-sources.ts";
import { causeOf, orderOf } from "./command.ts";
import type { JobHandler, JobSuccess } from "./consumer.ts";

/** What the ingest worker must know of an asset. */
export interface IngestAsset {
  readonly symbol: string;
  readonly type: AssetType;
  readonly currency: string;
  readonly calendar: CalendarId;
  readonly source: string;
  readonly archived: boolean;
}

export interface IngestDeps {
  readonly asset: (symbol: string) => Promise<IngestAsset | null>;
  readonly lastBar: (symbol: string, resolution: Resolution) => Promise<number | null>;
  /** Whom to ask for an asset, in this order. */
  readonly candidates: (asset: Pick<IngestAsset, "type" | "source">) => readonly string[];
  readonly prices: (
    source: string,
    request: PriceRequest,
    order: { readonly jobId: string; readonly traceparent: string | null },
  ) => Promise<Prices>;
  /** The rows of an uploaded file, which was read once already when it was accepted; null when it is gone. */
  readonly upload: (objectKey: string, format: "csv" | "json") => Promise<Upload | null>;
  readonly ingest: (command: IngestCommand) => Promise<IngestResult>;
  readonly hash: (text: string) => Promise<string>;
  /** Wall clock: a bar of the future is refused. */
  readonly now: () => number;
  readonly log: Log;
}

type PriceRequest = Pick<IngestAsset, "symbol" | "type" | "currency" | "calendar"> & {
  readonly resolution: Resolution;
  readonly from: number;
  readonly to: number;
};

export type Upload =
  | { readonly ok: true; readonly bars: readonly BarRow[] }
  | { readonly ok: false; readonly error: Problem };

const DAY = 86_400_000;
/** Asked again at every slot, so that late bars and corrections of the last days are found. */
const LOOK_BACK = 7 * DAY;

/** Asks the source or reads the upload, outside the object; then one call commits all of it, or none. */
export function ingestHandler(deps: IngestDeps): JobHandler {
  return async (job) => {
    const asset = await deps.asset(job.symbol);
    if (asset === null || asset.archived) {
      return refused({ code: "asset_unknown", detail: `${job.symbol} is not a registered asset` });
    }
    switch (job.params.mode) {
      case "import":
        return fromUpload(deps, job, asset, job.params);
      case "source":
        return fromSource(deps, job, asset, job.params);
      case "derived":
      case "resolve":
      case "ranking":
        return refused({ code: "contract_violation", detail: "an ingest job says where its bars come from" });
    }
  };
}

async function fromUpload(
  deps: IngestDeps,
  job: JobRecord,
  asset: IngestAsset,
  params: { objectKey: string; format: "csv" | "json" },
): Promise<Outcome<JobSuccess>> {
  const upload = await deps.upload(params.objectKey, params.format);
  if (upload === null)
    return refused({ code: "upload_missing", detail: "the uploaded file is no longer there" });
  if (!upload.ok) return refused(upload.error);
  const checked = checkBars(upload.bars, rulesFor(deps, job, asset));
  if (!checked.ok) {
    return refused({
      code: "bars_refused",
      detail: `${checked.total} row(s) cannot be taken; nothing was stored`,
      errors: checked.errors,
      total: checked.total,
    });
  }
  return commit(deps, job, "import", checked.bars);
}

async function fromSource(
  deps: IngestDeps,
  job: JobRecord,
  asset: IngestAsset,
  params: { until: number; backfill: boolean },
): Promise<Outcome<JobSuccess>> {
  if (asset.source === "import") {
    return refused({ code: "source_never_asked", detail: `${asset.symbol} is only fed by import` });
  }
  const last = params.backfill ? null : await deps.lastBar(asset.symbol, job.resolution);
  const to = lastFinal(job.resolution, asset.calendar, params.until);
  const from = last === null ? 0 : Math.min(last, to - LOOK_BACK);
  const { symbol, type, currency, calendar } = asset;
  const order = { jobId: job.id, traceparent: job.traceparent ?? null };
  const asked = await askSources(deps.candidates(asset), from, (source, start) =>
    deps.prices(
      source,
      { symbol, type, currency, calendar, resolution: job.resolution, from: start, to },
      order,
    ),
  );
  const { tried } = asked;
  const answeredBy = asked.kind === "answered" ? (asked.series?.source ?? null) : null;
  if (tried.length > 1 || (tried.length === 1 && answeredBy !== null)) {
    const line = { level: "warn", message: "price source passed over", tried, answeredBy };
    deps.log({ ...jobContext(job, job.attempts.length + 1), ...line });
  }
  if (asked.kind === "failed") return asked.outcome;
  if (asked.series === null) return done({ result: { outcome: "NoData" }, head: null });
  const { bars, source, notes } = asked.series;
  const rows = bars.map((bar, index) => ({ row: index + 1, line: null, bar }));
  const checked = checkBars(rows, rulesFor(deps, job, asset));
  if (!checked.ok) {
    return refused({
      code: "source_MalformedPayload",
      detail: `${source} sent ${checked.total} impossible bar(s)`,
      errors: checked.errors,
      total: checked.total,
    });
  }
  return commit(deps, job, source, checked.bars, {
    ...(tried.length > 0 ? { source, tried } : {}),
    ...(notes.length > 0 ? { notes } : {}),
  });
}

const rulesFor = (deps: IngestDeps, job: JobRecord, asset: IngestAsset) => ({
  now: deps.now(),
  resolution: job.resolution,
  keyOf: (instant: number) => barKey(job.resolution, asset.calendar, instant),
});

async function commit(
  deps: IngestDeps,
  job: JobRecord,
  source: string,
  bars: readonly Bar[],
  about: Readonly<Record<string, unknown>> = {},
): Promise<Outcome<JobSuccess>> {
  const result = await deps.ingest({
    symbol: job.symbol,
    cause: causeOf(job),
    jobId: job.id,
    orderHash: await deps.hash(orderOf(job)),
    resolution: job.resolution,
    source,
    scheduleId: job.scheduleId,
    slot: job.slot === null ? null : new Date(job.slot).toISOString(),
    bars,
  });
  return done({
    result: { ...result, ...about },
    head: { streamId: assetStream(job.symbol), version: result.head },
  });
}
