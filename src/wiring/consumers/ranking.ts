import type { JobRecord } from "../../domain/job/job.ts";
import type { Ranked, RankingDeps } from "../../queues/analysis/ranking.ts";
import { causeOf } from "../../queues/command.ts";
import {
  latestRanking,
  rankingById,
  rankingCandidates,
  type StoredRanking,
} from "../../read-model/opportunities.ts";
import { announceFacts, type Fact, recordFacts } from "../facts.ts";
import { idsOf, type Platform } from "../platform/platform.ts";

/** Decided by the job, so that whoever ranks for it again meets the event that is there. */
const eventIdOf = async (p: Platform, job: JobRecord): Promise<string> =>
  idsOf(await p.hash(`ranking ${job.id}`), job.createdAt)();

const toRanked = ({ eventId, version, body }: StoredRanking): Ranked => ({
  eventId,
  version,
  ranked: body.ranked,
  leftOut: body.leftOut.count,
});

export function rankingDeps(p: Platform): RankingDeps {
  const { DB } = p.env;
  const made = async (job: JobRecord): Promise<Ranked | null> => {
    const stored = await rankingById(DB, await eventIdOf(p, job));
    return stored === null ? null : toRanked(stored);
  };
  return {
    made,
    candidates: (resolution, after, limit) => rankingCandidates(DB, resolution, after, limit),
    before: async (resolution, moment) =>
      (await latestRanking(DB, resolution, { before: moment }))?.body ?? null,
    record: async (job, streamId, event) => {
      const eventId = await eventIdOf(p, job);
      const fact: Fact = { ...event, streamId, cause: causeOf(job) };
      await DB.batch(recordFacts({ ...p, newId: () => eventId }, [fact], p.now()));
      await announceFacts(p, [fact]);
      const kept = await made(job);
      if (kept === null) throw new Error("a ranking was recorded and is not there");
      return kept;
    },
  };
}
