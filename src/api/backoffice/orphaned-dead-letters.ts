import type { Context } from "hono";
import { openDeadLettersOf } from "../../records/dead-letters/dead-letter-reads.ts";
import { discardDeadLetters, STILL_OPEN } from "../../records/dead-letters/dead-letter-records.ts";
import { type ReleasedJob, releaseNext } from "../../records/jobs/sequence-records.ts";
import type { ApiEnv } from "../http/platform.ts";
import { auditOf } from "./dead-letter-views.ts";

const MAX_DEAD_LETTERS = 500;
const ARCHIVED = "the asset was archived";

/**
 * Nobody looks after the letters of an archived asset, and if it is registered again they would
 * keep its first job back; nor after those of a portfolio that was deleted. What waits behind them
 * runs, and ends as the work of an archived asset does.
 */
export async function closeDeadLettersOf(
  c: Context<ApiEnv>,
  subject: string,
  reason = ARCHIVED,
): Promise<void> {
  const { DB, api } = c.env;
  const ids = await openDeadLettersOf(DB, subject, MAX_DEAD_LETTERS);
  if (ids.length === 0) return;
  const effects = ids.map((id) => ({ action: "dead-letter.discard", subject: id, detail: reason }));
  const results = await DB.batch<ReleasedJob>([
    auditOf(c, effects, STILL_OPEN),
    discardDeadLetters(DB, ids, { actor: c.get("caller").id, reason }, api.now()),
    releaseNext(DB, [subject], api.now()),
  ]);
  await api.enqueueJobs(results.at(-1)?.results ?? []);
}
