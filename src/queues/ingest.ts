import type { Bar } from "../domain/asset/bar.ts";
import { checkBars } from "../domain/asset/check-bars.ts";
import type { IngestCommand, IngestResult } from "../domain/asset/commands.ts";
import type { BarRow } from "../domain/asset/read-bar.ts";
import { assetStream } from "../domain/events/envelope.ts";
import { faultClassOf, TREATMENTS } from "../domain/job/fault.ts";
import type { JobRecord } from "../domain/job/job.ts";
import { barKey } from "../domain/market/bar-key.ts";
import { lastClosedSession } from "../domain/market/calendar.ts";
import type { CalendarId } from "../domain/market/calendar-id.ts";
import type { Resolution } from "../domain/market/resolution.ts";
import { done, later, type Outcome, type Problem, refused } from "../domain/outcome.ts";
import { causeOf, orderOf } from "./command.ts";
import type { JobHandler, JobSuccess } from "./consumer.ts";

/** What the ingest worker must know of an asset. */
export interface IngestAsset {
  readonly symbol: string;
  readonly calendar: CalendarId;
  readonly source: string;
  readonly archived: boolean;
}

/** A price source's answer as this worker needs it: bars and where they come from, or why there are none. */
export type Prices =
  | {
      readonly outcome: "bars";
      readonly bars: readonly Bar[];
      readonly source: string;
      readonly next: number | null;
    }
  | { readonly outcome: string; readonly detail: string; readonly retryAfterSeconds?: number };

export interface IngestDeps {
  readonly asset: (symbol: string) => Promise<IngestAsset | null>;
  readonly lastBar: (symbol: string, resolution: Resolution) => Promise<number | null>;
  readonly prices: (
    source: string,
    request: { symbol: string; resolution: Resolution; from: number; to: number },
    order: { readonly jobId: string; readonly traceparent: string | null },
  ) => Promise<Prices>;
  /** The rows of an uploaded file, which was read once already when it was accepted; null when it is gone. */
  readonly upload: (objectKey: string, format: "csv" | "json") => Promise<Upload | null>;
  readonly ingest: (command: IngestCommand) => Promise<IngestResult>;
  readonly hash: (text: string) => Promise<string>;
  /** Wall clock: a bar of the future is refused. */
  readonly now: () => number;
}

export type Upload =
  | { readonly ok: true; readonly bars: readonly BarRow[] }
  | { readonly ok: false; readonly error: Problem };

const DAY = 86_400_000;
/** Asked again at every slot, so that late bars and corrections of the last days are found. */
const LOOK_BACK = 7 * DAY;
const MOST_PAGES = 50;

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
  let from: number | null = last === null ? 0 : Math.min(last, to - LOOK_BACK);
  let source = asset.source;
  const rows: BarRow[] = [];
  for (let page = 0; page < MOST_PAGES && from !== null; page++) {
    const request = { symbol: asset.symbol, resolution: job.resolution, from, to };
    const order = { jobId: job.id, traceparent: job.traceparent ?? null };
    const answer = await deps.prices(asset.source, request, order);
    if (!("bars" in answer)) {
      if (answer.outcome === "NoData") break;
      const code = answer.outcome === "BreakerOpen" ? "breaker_open" : `source_${answer.outcome}`;
      const problem: Problem = { code, detail: answer.detail };
      const giveUp = TREATMENTS[faultClassOf(problem.code)].action === "fail";
      return giveUp ? refused(problem) : later(problem, answer.retryAfterSeconds);
    }
    source = answer.source;
    for (const bar of answer.bars) rows.push({ row: rows.length + 1, line: null, bar });
    from = answer.next;
  }
  if (rows.length === 0) return done({ result: { outcome: "NoData" }, head: null });
  const checked = checkBars(rows, rulesFor(deps, job, asset));
  if (!checked.ok) {
    return refused({
      code: "source_MalformedPayload",
      detail: `${asset.source} sent ${checked.total} impossible bar(s)`,
      errors: checked.errors,
      total: checked.total,
    });
  }
  return commit(deps, job, source, checked.bars);
}

/** The key of the last bar that is final at an instant: nothing of a session or period under way is asked for. */
function lastFinal(resolution: Resolution, calendar: CalendarId, until: number): number {
  switch (resolution) {
    case "1d": {
      const session = lastClosedSession(calendar, until);
      return session === null ? until : Date.parse(session.date);
    }
    case "1wk":
    case "1mo":
      return barKey(resolution, calendar, until) - 1;
    default:
      return until;
  }
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
  return done({ result, head: { streamId: assetStream(job.symbol), version: result.head } });
}
