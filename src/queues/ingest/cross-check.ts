import type { Bar } from "../../domain/asset/bar.ts";
import type { JobRecord } from "../../domain/job/job.ts";
import type { Resolution } from "../../domain/market/resolution.ts";
import { done, type Outcome, refused } from "../../domain/outcome.ts";
import {
  type CrossCheckResult,
  compareCloses,
  MAX_CHECKED,
  TOLERANCE_BPS,
} from "../../domain/quality/cross-check.ts";
import type { JobHandler, JobSuccess } from "../consumer.ts";
import type { JobWork } from "../job-work.ts";
import { askSources, type Prices } from "./ask-sources.ts";
import type { IngestAsset, IngestDeps } from "./ingest-deps.ts";

export interface CrossCheckDeps extends Pick<IngestDeps, "asset" | "prices" | "now"> {
  /** The sources beside an asset's own that may be asked about it, the first one first. */
  readonly others: (asset: Pick<IngestAsset, "type" | "source">) => readonly string[];
  /**
   * The newest bars of a range on the scale of today, as vendors tell them: after every split on
   * record. Oldest first, with the version of the stream they are true of.
   */
  readonly bars: (
    symbol: string,
    query: {
      readonly resolution: Resolution;
      readonly from: number | null;
      readonly to: number | null;
      readonly limit: number;
    },
  ) => Promise<{ readonly version: number; readonly bars: readonly Bar[] }>;
  /** What was found already, by this worker or another; null while nothing was. */
  readonly found: (id: string) => Promise<CrossCheckResult | null>;
  /** Keeps what was found, once; what stands in the end is the answer. */
  readonly record: (
    job: JobRecord,
    id: string,
    result: CrossCheckResult,
  ) => Promise<CrossCheckResult>;
}

const crossCheckHandler =
  (deps: CrossCheckDeps): JobHandler =>
  (job) => {
    const { params, subjectId: id } = job;
    if (params.mode === "crossCheck") return checked(deps, job, { ...params, id });
    const detail = "a cross-check's job says what is checked against whom";
    return Promise.resolve(refused({ code: "message.contract_violation", detail }));
  };

interface Check {
  readonly id: string;
  readonly symbol: string;
  readonly source: string | null;
  readonly from: number | null;
  readonly to: number | null;
  readonly toleranceBps: number | null;
}

/**
 * Asks another source for the time of the stored bars, through its breaker and in its turn like any
 * ingest, and compares. Unless it was told whom to ask, the next one is asked when the first is
 * out. It changes no bar and tells no event: nothing has happened to the asset.
 */
async function checked(
  deps: CrossCheckDeps,
  job: JobRecord,
  check: Check,
): Promise<Outcome<JobSuccess>> {
  const before = await deps.found(check.id);
  if (before !== null) return done(success(before));
  const asset = await deps.asset(check.symbol);
  if (asset === null || asset.archived)
    return refused({ code: "asset.unknown", detail: `${check.symbol} is not a registered asset` });
  const others = check.source === null ? deps.others(asset) : [check.source];
  if (others.length === 0 || others.includes(asset.source)) {
    const detail = `there is no other source to check ${check.symbol} against`;
    return refused({ code: "source.not_configured", detail });
  }
  const { from, to } = check;
  const { resolution } = job;
  const query = { resolution, from, to, limit: MAX_CHECKED };
  const { version, bars } = await deps.bars(check.symbol, query);
  const [first, last] = [bars[0], bars.at(-1)];
  if (first === undefined || last === undefined) {
    const detail = `${check.symbol} has no ${resolution} bars in this period`;
    return refused({ code: "cross_check.no_bars", detail });
  }
  const answer = await theirsOf(deps, job, asset, others, [first.timestamp, last.timestamp]);
  if (answer.kind === "failed") return answer.outcome;
  // Of those that could be asked, who was passed over is told; the next one answered.
  const source = answer.series?.source ?? others[answer.tried.length] ?? "";
  const skipped = answer.tried.map((one) => `${one.source} was passed over: ${one.detail}`);
  const theirs = answer.series?.bars ?? [];
  const result: CrossCheckResult = {
    ...compareCloses(bars, theirs, check.toleranceBps ?? TOLERANCE_BPS[asset.type]),
    source,
    ownSource: asset.source,
    from: first.timestamp,
    to: last.timestamp,
    streamVersion: version,
    checkedAt: deps.now(),
    notes: [...skipped, ...(answer.series?.notes ?? [`${source} has no bar in this period`])],
  };
  return done(success(await deps.record(job, check.id, result)));
}

const theirsOf = (
  deps: CrossCheckDeps,
  job: JobRecord,
  { symbol, type, currency, calendar }: IngestAsset,
  others: readonly string[],
  [start, to]: readonly [number, number],
) =>
  askSources(others, start, (name, from): Promise<Prices> => {
    const request = { symbol, type, currency, calendar, resolution: job.resolution, from, to };
    return deps.prices(name, request, { jobId: job.id, traceparent: job.traceparent ?? null });
  });

const success = ({
  source,
  compared,
  differing,
  missingHere,
  missingThere,
  scale,
}: CrossCheckResult) => ({
  result: { source, compared, differing, missingHere, missingThere, scale },
  head: null,
});

export const crossCheckWork: JobWork<CrossCheckDeps> = {
  handler: crossCheckHandler,
  dryRun: (deps) => ({ ...deps, record: async (_job, _id, result) => result }),
};
