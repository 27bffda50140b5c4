import type { Context } from "hono";
import type { Reader } from "../../reader.ts";
import { findPortfolio } from "../../records/analysis/portfolio-records.ts";
import { loadAssets } from "../../records/assets/asset-records.ts";
import { findSchedule, type Schedule } from "../../records/jobs/schedule-records.ts";
import { marketTime } from "../../records/operations/clock-record.ts";
import { tagged } from "../http/conditional-writes.ts";
import type { ApiEnv } from "../http/platform.ts";
import { ApiProblem } from "../http/problem.ts";
import { showSchedule } from "./schedule-schemas.ts";

/**
 * Schedules live on the market's clock, which only differs from the wall clock while a replay runs.
 */
export const marketNow = ({ DB, api }: ApiEnv["Bindings"]): Promise<number> =>
  marketTime(DB, api.config, api.now());

/** The schedule, or 404. */
export async function requireSchedule(db: Reader, id: string): Promise<Schedule> {
  const schedule = await findSchedule(db, id);
  if (schedule === null) throw new ApiProblem("not_found", `There is no schedule ${id}.`);
  return schedule;
}

/** The schedule as it is shown, under the ETag of its version. */
export async function answerWith(c: Context<ApiEnv>, schedule: Schedule) {
  const shown = showSchedule(schedule);
  return c.json(shown, 200, await tagged(c, schedule.updatedAt, shown));
}

/** A schedule of an archived asset, or of a deleted portfolio, has nothing to run. */
export async function refuseArchived(db: D1Database, { target }: Schedule): Promise<void> {
  if ("symbol" in target) {
    const [asset] = await loadAssets(db, [target.symbol]);
    if (asset !== undefined && asset.archivedAt !== null)
      throw new ApiProblem(
        "conflict",
        `The asset ${target.symbol} is archived; register it again, and its schedules go on.`,
      );
  }
  if ("portfolioId" in target) {
    const portfolio = await findPortfolio(db, target.portfolioId);
    if (portfolio !== null && portfolio.archivedAt !== null)
      throw new ApiProblem(
        "conflict",
        `The portfolio ${target.portfolioId} was deleted; delete its schedule too.`,
      );
  }
}
