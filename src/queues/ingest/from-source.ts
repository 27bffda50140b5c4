import type { Bar } from "../../domain/asset/bar.ts";
import { type BarRules, type BarsCheck, checkBars } from "../../domain/asset/check-bars.ts";
import type { CorporateAction } from "../../domain/asset/corporate-action.ts";
import { type OneScale, onOneScale } from "../../domain/asset/on-one-scale.ts";
import type { JobRecord } from "../../domain/job/job.ts";
import { lastFinal } from "../../domain/market/last-final.ts";
import type { Resolution } from "../../domain/market/resolution.ts";
import { isIntraday } from "../../domain/market/session-slots.ts";
import { isVendorName } from "../../domain/market/vendor.ts";
import { done, type Outcome, refused } from "../../domain/outcome.ts";
import type { FeedChange } from "../../domain/quality/feed.ts";
import { scaleChange } from "../../domain/quality/scale-change.ts";
import { barsLate, HOPELESSLY_LATE } from "../../domain/quality/series-quality.ts";
import { jobContext } from "../../domain/trace/log-context.ts";
import type { JobSuccess } from "../consumer.ts";
import { askSources, type Prices, type SourceAnswer } from "./ask-sources.ts";
import { commit, oddities, rulesFor } from "./commit-bars.ts";
import { endedWithout, offSessionResult } from "./feed.ts";
import type { IngestAsset, IngestDeps } from "./ingest-deps.ts";

const DAY = 86_400_000;
/** Asked again at every slot, so that late bars and corrections of the last days are found. */
const LOOKBACK = 7 * DAY;
/**
 * Asked again as well, so that a change of scale shows; more where a split may still be adjusted
 * for.
 */
const NEWEST = 30;
const MAX_NEWEST = 2_000;
/**
 * The time before a split that is asked again with that since it: as many bars as tell what moves
 * are usual.
 */
const beforeSplit = (resolution: Resolution): number => (isIntraday(resolution) ? 14 : 60) * DAY;
/** Stored bars that tell on which scale those before an answer are. */
const AT_ITS_BEGINNING = 12;

/** For how long after a split its vendor is watched for adjusting its history. */
const watchedFor = (resolution: Resolution): number => {
  switch (resolution) {
    case "1d":
    case "1w":
    case "1mo":
      return 400 * DAY;
    case "1h":
    case "4h":
      return 60 * DAY;
    default:
      return 5 * DAY;
  }
};

/** What is known before anybody is asked. */
interface Before {
  /** Stored bars that are asked again, oldest first. */
  readonly newest: readonly Bar[];
  readonly splits: readonly CorporateAction[];
}

/** Logs which sources were asked in vain before one answered. */
function logSkipped(deps: IngestDeps, job: JobRecord, answer: SourceAnswer): void {
  const { tried } = answer;
  const answeredBy = answer.kind === "answered" ? (answer.series?.source ?? null) : null;
  if (tried.length > 1 || (tried.length === 1 && answeredBy !== null)) {
    const line = { level: "warn", message: "price source passed over", tried, answeredBy };
    deps.log({ ...jobContext(job, job.attempts.length + 1), ...line });
  }
}

/** The bars of a source's answer, or why none of them may be stored. */
function checkSeries(
  bars: readonly Bar[],
  source: string,
  rules: BarRules,
): Outcome<Extract<BarsCheck, { ok: true }>> {
  const rows = bars.map((bar, index) => ({ row: index + 1, line: null, bar }));
  const checked = checkBars(rows, rules);
  if (checked.ok) return done(checked);
  const { errors, total } = checked;
  const detail = `${source} sent ${total} impossible bar(s)`;
  return refused({ code: "source.malformed_payload", detail, errors, total });
}

/**
 * Asks an asset's source, or those behind it, for what is new or, as a backfill, for the whole
 * history, and commits it.
 */
export async function fromSource(
  deps: IngestDeps,
  job: JobRecord,
  asset: IngestAsset,
  params: { readonly until: number; readonly backfill: boolean },
): Promise<Outcome<JobSuccess>> {
  if (asset.source === "import") {
    return refused({ code: "source.import_only", detail: `${asset.symbol} is only fed by import` });
  }
  const { resolution } = job;
  const { symbol, type, currency, calendar } = asset;
  const to = lastFinal(resolution, calendar, params.until);
  const before = await knownBefore(
    deps,
    job,
    type === "STOCK" ? to - watchedFor(resolution) : null,
  );
  const [oldest] = before.newest;
  const from =
    params.backfill || oldest === undefined ? 0 : Math.min(oldest.timestamp, to - LOOKBACK);
  const order = { jobId: job.id, traceparent: job.traceparent ?? null };
  const ask = (source: string, start: number): Promise<Prices> =>
    deps.prices(source, { symbol, type, currency, calendar, resolution, from: start, to }, order);
  const candidates = deps.candidates(asset);
  const recent = await askSources(candidates, from, ask);
  const changed = from === 0 ? UNCHANGED : changeOf(before, recent, job, asset);
  const answer = changed === UNCHANGED ? recent : await askAgain(recent, changed, candidates, ask);
  logSkipped(deps, job, answer);
  if (answer.kind === "failed" || answer.series === null)
    return endedWithout(deps, job, asset, answer, before.newest.at(-1) ?? null);
  const { series } = answer;
  const isWhole = from === 0 || changed !== UNCHANGED;
  const splits = isWhole && type === "STOCK" ? await deps.splits(symbol, 0) : before.splits;
  const level = onOneScale(series, splits, { resolution, calendar });
  const check = checkSeries(level.bars, series.source, rulesFor(deps, job, asset));
  if (check.kind !== "done") return check;
  const checked = check.value;
  const { bars } = checked;
  const olderTimes = isWhole ? await scaleBefore(deps, job, bars) : null;
  const notes = [
    ...series.notes,
    ...level.standing.map((split) => standingNote(series.source, split)),
  ];
  const counted = type === "STOCK" ? series.offSession : [];
  const trouble = endOf(bars, job, asset, params.until, series.source);
  await deps.note(symbol, resolution, { trouble, source: series.source, offSession: counted });
  return commit(
    deps,
    job,
    {
      source: series.source,
      bars,
      actions: level.actions,
      ...(olderTimes === null ? {} : { olderTimes }),
    },
    {
      ...(answer.tried.length > 0 ? { source: series.source, tried: answer.tried } : {}),
      ...(notes.length > 0 ? { notes } : {}),
      ...offSessionResult(series.offSession),
      ...(changed.closes === null ? {} : { rescaled: changed.closes }),
      ...(changed.closes === null && changed.volumes !== null
        ? { rescaledVolumes: changed.volumes }
        : {}),
      ...oddities(checked),
    },
  );
}

/**
 * A stock whose vendor has had no bar for so long may be traded no more. Its job has done what
 * there was to do all the same.
 */
function endOf(
  bars: readonly Bar[],
  { resolution }: JobRecord,
  { type, calendar, symbol }: IngestAsset,
  until: number,
  source: string,
): FeedChange["trouble"] {
  const last = bars.at(-1);
  if (type !== "STOCK" || last === undefined || !isVendorName(source)) return null;
  if ((barsLate(last.timestamp, resolution, calendar, until) ?? 0) < HOPELESSLY_LATE) return null;
  const day = new Date(last.timestamp).toISOString().slice(0, 10);
  const detail = `${source} has no bar of ${symbol} after ${day}: it may be suspended, delisted or renamed`;
  return { outcome: "Delisted", detail };
}

/**
 * The newest stored bars, and those around the splits that the source may not have adjusted its
 * history for yet.
 */
async function knownBefore(
  deps: IngestDeps,
  { symbol, resolution }: JobRecord,
  watchedFrom: number | null,
): Promise<Before> {
  const any = { from: Number.MIN_SAFE_INTEGER, which: "newest", limit: NEWEST } as const;
  const [splits, newest] = await Promise.all([
    watchedFrom === null ? [] : deps.splits(symbol, watchedFrom),
    deps.stored(symbol, resolution, any),
  ]);
  const [first] = splits;
  if (first === undefined) return { newest, splits };
  const around = {
    from: first.exDate - beforeSplit(resolution),
    which: "newest",
    limit: MAX_NEWEST,
  } as const;
  const since = await deps.stored(symbol, resolution, around);
  return { newest: since.length > newest.length ? since : newest, splits };
}

/**
 * By what a source's closes and volumes have been multiplied since they were stored; null each
 * where they have not.
 */
interface Change {
  readonly closes: number | null;
  readonly volumes: number | null;
}

const UNCHANGED: Change = { closes: null, volumes: null };

function changeOf(
  before: Before,
  recent: SourceAnswer,
  { resolution }: JobRecord,
  { calendar }: IngestAsset,
): Change {
  const series = recent.kind === "answered" ? recent.series : null;
  if (series === null) return UNCHANGED;
  const { bars } = onOneScale(series, before.splits, { resolution, calendar });
  const closes = scaleChange(before.newest, bars);
  // Volumes are only asked about after a split, and of the source that told it: another counts
  // other trades.
  const isWatched = before.splits.length > 0 && recent.tried.length === 0;
  const volumes = isWatched ? scaleChange(before.newest, bars, "volume") : null;
  return closes === null && volumes === null ? UNCHANGED : { closes, volumes };
}

/**
 * The whole history, after the vendor has changed its scale: bars of before and after a split must
 * not stand in one series. The log keeps what they were. Another vendor's scale is no reason to
 * replace everything.
 */
async function askAgain(
  { tried }: SourceAnswer,
  { closes }: Change,
  [own = ""]: readonly string[],
  ask: (source: string, from: number) => Promise<Prices>,
): Promise<SourceAnswer> {
  if (tried.length === 0) return askSources([own], 0, ask);
  const detail = `the closes of the fallback are ${closes} times the stored ones; nothing was stored`;
  return { kind: "failed", outcome: refused({ code: "source.other_scale", detail }), tried };
}

/**
 * By what stored bars before a whole history, which its source does not reach any more, are to be
 * multiplied; null for 1.
 */
async function scaleBefore(
  deps: IngestDeps,
  job: JobRecord,
  bars: readonly Bar[],
): Promise<number | null> {
  const [first] = bars;
  if (first === undefined) return null;
  const range = { from: first.timestamp, which: "oldest", limit: AT_ITS_BEGINNING } as const;
  return scaleChange(await deps.stored(job.symbol, job.resolution, range), bars);
}

function standingNote(
  source: string,
  { exDate, numerator, denominator }: OneScale["standing"][number],
): string {
  const day = new Date(exDate).toISOString().slice(0, 10);
  return `${source} has not adjusted its history for the split of ${day} (${numerator}:${denominator}) yet: it was adjusted here`;
}
