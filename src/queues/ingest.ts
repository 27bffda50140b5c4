import type { Bar } from "../domain/asset/bar.ts";
import { checkActions, type JsonAction } from "../domain/asset/check-actions.ts";
import { checkBars } from "../domain/asset/check-bars.ts";
import type { IngestCommand, IngestResult } from "../domain/asset/commands.ts";
import type { CorporateAction } from "../domain/asset/corporate-action.ts";
import type { BarRow } from "../domain/asset/read-bar.ts";
import { LISTED_ERRORS } from "../domain/asset/row-error.ts";
import { assetStream } from "../domain/events/envelope.ts";
import type { JobRecord } from "../domain/job/job.ts";
import type { AssetType } from "../domain/market/asset-type.ts";
import { barKey } from "../domain/market/bar-key.ts";
import type { CalendarId } from "../domain/market/calendar-id.ts";
import { lastFinal } from "../domain/market/last-final.ts";
import type { Resolution } from "../domain/market/resolution.ts";
import { done, type Outcome, type Problem, refused } from "../domain/outcome.ts";
import { scaleChange } from "../domain/quality/scale-change.ts";
import { jobContext, type Log } from "../domain/trace/log-context.ts";
import { type Asked, askSources, type Prices } from "./ask-sources.ts";
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
  /** The newest bars that are stored, oldest first; a few are enough. */
  readonly newest: (symbol: string, resolution: Resolution) => Promise<readonly Bar[]>;
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
  | { readonly ok: true; readonly bars: readonly BarRow[]; readonly actions?: readonly JsonAction[] }
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
      case "portfolio":
      case "backtest":
      case "portfolioBacktest":
      case "crossCheck":
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
  const actions = checkActions(upload.actions ?? [], { now: deps.now(), type: asset.type });
  if (checked.ok && actions.ok) {
    const { bars } = checked;
    return commit(deps, job, { source: "import", bars, actions: actions.actions }, oddities(checked));
  }
  const found = [checked, actions].flatMap((check) => (check.ok ? [] : [check]));
  const total = found.reduce((sum, one) => sum + one.total, 0);
  return refused({
    code: "bars_refused",
    detail: `${total} row(s) cannot be taken; nothing was stored`,
    errors: found.flatMap(({ errors }) => errors).slice(0, LISTED_ERRORS),
    total,
  });
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
  const newest = params.backfill ? [] : await deps.newest(asset.symbol, job.resolution);
  const to = lastFinal(job.resolution, asset.calendar, params.until);
  const from = newest[0] === undefined ? 0 : Math.min(newest[0].timestamp, to - LOOK_BACK);
  const { symbol, type, currency, calendar } = asset;
  const order = { jobId: job.id, traceparent: job.traceparent ?? null };
  const ask = (source: string, start: number): Promise<Prices> =>
    deps.prices(
      source,
      { symbol, type, currency, calendar, resolution: job.resolution, from: start, to },
      order,
    );
  const candidates = deps.candidates(asset);
  const recent = await askSources(candidates, from, ask);
  const scale = recent.kind === "answered" ? scaleChange(newest, recent.series?.bars ?? []) : null;
  const asked = scale === null ? recent : await askAgain(recent, scale, candidates, ask);
  const { tried } = asked;
  const answeredBy = asked.kind === "answered" ? (asked.series?.source ?? null) : null;
  if (tried.length > 1 || (tried.length === 1 && answeredBy !== null)) {
    const line = { level: "warn", message: "price source passed over", tried, answeredBy };
    deps.log({ ...jobContext(job, job.attempts.length + 1), ...line });
  }
  if (asked.kind === "failed") return asked.outcome;
  if (asked.series === null) return done({ result: { outcome: "NoData" }, head: null });
  const { bars, actions, source, notes } = asked.series;
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
  return commit(
    deps,
    job,
    { source, bars: checked.bars, actions },
    {
      ...(tried.length > 0 ? { source, tried } : {}),
      ...(notes.length > 0 ? { notes } : {}),
      ...(scale === null ? {} : { rescaled: scale }),
      ...oddities(checked),
    },
  );
}

/** Of a batch's oddities so many are told; all are counted. */
const MOST_WARNINGS = 20;

/** What was odd about rows that were taken, and how many were left out because an equal row was there already. */
function oddities({ warnings, warningTotal, folded }: Extract<ReturnType<typeof checkBars>, { ok: true }>) {
  return {
    ...(warningTotal === 0 ? {} : { warnings: warnings.slice(0, MOST_WARNINGS), warningTotal }),
    ...(folded === 0 ? {} : { folded }),
  };
}

/**
 * The whole history, after the vendor has changed its scale: bars of before and after a split must not stand in one series.
 * The log keeps what they were. Another vendor's scale is no reason to replace everything.
 */
async function askAgain(
  { tried }: Asked,
  scale: number,
  [own = ""]: readonly string[],
  ask: (source: string, from: number) => Promise<Prices>,
): Promise<Asked> {
  if (tried.length === 0) return askSources([own], 0, ask);
  const detail = `the closes of the fallback are ${scale} times the stored ones; nothing was stored`;
  return { kind: "failed", outcome: refused({ code: "source_OtherScale", detail }), tried };
}

const rulesFor = (deps: IngestDeps, job: JobRecord, asset: IngestAsset) => ({
  now: deps.now(),
  resolution: job.resolution,
  keyOf: (instant: number) => barKey(job.resolution, asset.calendar, instant),
});

/** What is to be stored, and who told it. */
interface Told {
  readonly source: string;
  readonly bars: readonly Bar[];
  readonly actions: readonly CorporateAction[];
}

async function commit(
  deps: IngestDeps,
  job: JobRecord,
  { source, bars, actions }: Told,
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
    ...(actions.length === 0 ? {} : { actions }),
  });
  return done({
    result: { ...result, ...about },
    head: { streamId: assetStream(job.symbol), version: result.head },
  });
}
