import type { NewEvent } from "../../domain/events/envelope.ts";
import { rankingStream } from "../../domain/events/envelope.ts";
import type { JobRecord } from "../../domain/job/job.ts";
import { done, refused } from "../../domain/outcome.ts";
import {
  type Candidate,
  RANKED_RESOLUTIONS,
  type RankedResolution,
  Ranking,
  type RankingBody,
} from "../../domain/ranking/ranking.ts";
import type { JobHandler } from "../consumer.ts";
import type { JobWork } from "../job-work.ts";

/** What a ranking came to, as the job's record tells it. */
export interface Ranked {
  readonly eventId: string;
  readonly version: number;
  readonly ranked: number;
  readonly leftOut: number;
}

export interface RankingDeps {
  /** The ranking that this job has made already, or null. */
  readonly made: (job: JobRecord) => Promise<Ranked | null>;
  /** Live assets after a symbol, in symbol order. */
  readonly candidates: (
    resolution: RankedResolution,
    after: string,
    limit: number,
  ) => Promise<readonly Candidate[]>;
  /** The newest ranking made for a moment before this one (ISO-8601). */
  readonly before: (resolution: RankedResolution, moment: string) => Promise<RankingBody | null>;
  /** Keeps it, once per job: of two at once the first stays, and both are told that one. */
  readonly record: (job: JobRecord, streamId: string, event: NewEvent) => Promise<Ranked>;
}

/** Assets of one read. */
const PAGE = 1_000;
/** Reads of one ranking: far more assets than an installation has, and an end. */
const MAX_PAGES = 500;

/** Ranks all live assets, a page at a time; whatever comes twice is one ranking. */
function rankingHandler(deps: RankingDeps): JobHandler {
  return async (job) => {
    const { params } = job;
    const resolution = RANKED_RESOLUTIONS.find((one) => one === job.resolution);
    if (params.mode !== "ranking" || resolution === undefined)
      return refused({
        code: "message.contract_violation",
        detail: "a ranking says which moment and resolution it is for",
      });
    const ranked = (await deps.made(job)) ?? (await rank(job, resolution, params.until, deps));
    return done({
      result: ranked,
      head: { streamId: rankingStream(resolution), version: ranked.version },
    });
  };
}

async function rank(
  job: JobRecord,
  resolution: RankedResolution,
  until: number,
  deps: RankingDeps,
): Promise<Ranked> {
  const ranking = new Ranking(until);
  let after = "";
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const page = await deps.candidates(resolution, after, PAGE);
    ranking.add(page);
    after = page.at(-1)?.symbol ?? after;
    if (page.length < PAGE) break;
  }
  const slot = job.slot === null ? null : new Date(job.slot).toISOString();
  const last = await deps.before(resolution, new Date(until).toISOString());
  const ranks = new Map((last?.items ?? []).map(({ symbol, rank: place }) => [symbol, place]));
  const payload = ranking.body({ resolution, slot }, ranks);
  return deps.record(job, rankingStream(resolution), { eventType: "OpportunitiesRanked", payload });
}

export const rankingWork: JobWork<RankingDeps> = {
  handler: rankingHandler,
  dryRun: (deps, preview) => ({
    ...deps,
    record: async (_job, _stream, event) => {
      const eventId = preview.newId();
      return preview.event(event, { eventId, version: 0, ranked: 0, leftOut: 0 });
    },
  }),
};
