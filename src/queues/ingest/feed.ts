import type { Bar } from "../../domain/asset/bar.ts";
import { toSnakeCase } from "../../domain/job/error-codes.ts";
import type { JobRecord } from "../../domain/job/job.ts";
import { done, type Outcome } from "../../domain/outcome.ts";
import { FEED_TROUBLES, type FeedTrouble } from "../../domain/quality/feed.ts";
import type { JobSuccess } from "../consumer.ts";
import type { SourceAnswer } from "./ask-sources.ts";
import type { IngestAsset, IngestDeps } from "./ingest-deps.ts";

/** So many of the rows that were left out are named in a job's result; all are counted. */
const MAX_LISTED = 20;

/**
 * What a job's result says of rows that were left out because the market was closed; nothing where
 * there are none.
 */
export const offSessionResult = (instants: readonly number[]): { readonly offSession?: object } =>
  instants.length === 0
    ? {}
    : {
        offSession: {
          count: instants.length,
          at: instants.slice(-MAX_LISTED).map((instant) => new Date(instant).toISOString()),
          detail: "rows of times at which the market was closed; they were left out",
        },
      };

/**
 * How a job ends that got no bars. A quiet time is no failure. A symbol that nobody knows is one;
 * where the asset has a history here, it was known once: then it is delisted or renamed.
 */
export async function endedWithout(
  deps: IngestDeps,
  job: JobRecord,
  asset: IngestAsset,
  answer: Exclude<SourceAnswer, { readonly series: object }>,
  lastBar: Bar | null,
): Promise<Outcome<JobSuccess>> {
  const { symbol, source } = asset;
  if (answer.kind === "answered") {
    const { detail, offSession, source: by } = answer.silence;
    const counted = asset.type === "STOCK" ? offSession : [];
    await deps.note(symbol, job.resolution, { trouble: null, source: by, offSession: counted });
    return done({
      result: { outcome: "NoData", detail, ...offSessionResult(offSession) },
      head: null,
    });
  }
  const { outcome } = answer;
  if (outcome.kind !== "refused") return outcome;
  const { error } = outcome;
  const said = FEED_TROUBLES.find((one) => error.code === `source.${toSnakeCase(one)}`);
  if (said === undefined) return outcome;
  const trouble = said === "UnknownSymbol" && lastBar !== null ? "Delisted" : said;
  const detail = `${error.detail}; ${wayOut(trouble, symbol, lastBar)}`;
  await deps.note(symbol, job.resolution, {
    trouble: { outcome: trouble, detail },
    source,
    offSession: [],
  });
  return { ...outcome, error: { ...error, code: `source.${toSnakeCase(trouble)}`, detail } };
}

function wayOut(trouble: FeedTrouble, symbol: string, lastBar: Bar | null): string {
  if (trouble === "UnknownSymbol")
    return `check how ${symbol} is written (VOD.L for London, SAN.MC for Madrid, BRK.B for a class of shares) and its source`;
  const end =
    lastBar === null
      ? ""
      : ` its history here ends on ${new Date(lastBar.timestamp).toISOString().slice(0, 10)};`;
  return `${symbol} may be delisted or renamed:${end} give it another source with PATCH, or DELETE it to stop asking`;
}
