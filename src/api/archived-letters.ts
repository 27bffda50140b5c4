import type { Context } from "hono";
import { openLettersOf } from "../records/dead-letter-reads.ts";
import { discardLetters, STILL_OPEN } from "../records/dead-letter-records.ts";
import { type ReleasedJob, releaseNext } from "../records/sequence-records.ts";
import { auditOf } from "./dead-letter-views.ts";
import type { ApiEnv } from "./platform.ts";

const MOST_LETTERS = 500;
const ARCHIVED = "the asset was archived";

/**
 * Nobody looks after the letters of an archived asset, and if it is registered again they would keep its first job
 * back; nor after those of a portfolio that was deleted. What waits behind them runs, and ends as the work of an archived asset does.
 */
export async function closeLettersOf(c: Context<ApiEnv>, subject: string, reason = ARCHIVED): Promise<void> {
  const { DB, api } = c.env;
  const ids = await openLettersOf(DB, subject, MOST_LETTERS);
  if (ids.length === 0) return;
  const deeds = ids.map((id) => ({ action: "dead-letter.discard", subject: id, detail: reason }));
  const results = await DB.batch<ReleasedJob>([
    auditOf(c, deeds, STILL_OPEN),
    discardLetters(DB, ids, { actor: c.get("caller").id, reason }, api.now()),
    releaseNext(DB, [subject], api.now()),
  ]);
  await api.enqueueJobs(results.at(-1)?.results ?? []);
}
