import { portfolioSubject } from "../../domain/job/job.ts";
import { startTrace } from "../../domain/trace/traceparent.ts";
import type { OpenSlot, ScheduleDeps, SymbolPage } from "../../queues/schedule.ts";
import { withDueRecommendations } from "../../read-model/due-recommendations.ts";
import { recordRequested } from "../../records/analysis/optimization-records.ts";
import { findPortfolio } from "../../records/analysis/portfolio-records.ts";
import { calendarSymbols, liveSymbols, loadAssets } from "../../records/assets/asset-records.ts";
import { insertJobs } from "../../records/jobs/job-records.ts";
import { openSlots } from "../../records/jobs/open-work.ts";
import {
  advanceSchedule,
  dueSchedules,
  findSchedule,
  type Schedule,
  type ScheduleTarget,
} from "../../records/jobs/schedule-records.ts";
import {
  ARCHIVED_ASSET,
  ARCHIVED_PORTFOLIO,
  followAsset,
  stopWithPortfolio,
} from "../../records/jobs/schedule-stops.ts";
import {
  advanceSlot,
  claimSlots,
  findSlot,
  skipSlot,
  slotLine,
  startBufferedSlots,
  takeAbandonedSlots,
} from "../../records/jobs/slot-records.ts";
import { readClock, writeClock } from "../../records/operations/clock-record.ts";
import type { TickDeps } from "../../schedule/tick.ts";
import { isAhead, triggerTimeProblem } from "../../schedule/trigger-time.ts";
import { replayNow } from "../../sources/replay-clock.ts";
import { takeOverdue } from "../operations/overdue-work.ts";
import { enqueueJobs, fileUnreadable, type Platform, sendAll } from "../platform/platform.ts";

/** Long enough for a page to be worked off, short enough that a crash costs one tick. */
const SLOT_LEASE_MS = 60_000;
const TWO_TICKS_SECONDS = 120;

/**
 * The market's now: the tick's own time, or the replay's while the demo runs. Remembered for the
 * API. Throws when the trigger's time is far from now: nothing of it is recorded.
 */
export async function advanceClock(p: Platform, scheduledTime: number): Promise<number> {
  const now = p.now();
  const problem = triggerTimeProblem(scheduledTime, now);
  if (problem !== null) {
    p.log({ level: "error", message: "cron trigger refused", error: problem });
    throw new Error(problem);
  }
  const marketNow = p.config.DEMO
    ? replayNow(await readClock(p.env.DB), scheduledTime, p.config.REPLAY_SPEED)
    : scheduledTime;
  const recorded = await writeClock(p.env.DB, marketNow, scheduledTime);
  if (recorded !== null && isAhead(Math.max(recorded.wallAt, recorded.marketNow), now)) {
    p.log({
      level: "error",
      message: "the clock's record is ahead of now: POST /api/v1/backoffice/clock/reset",
      marketNow: new Date(recorded.marketNow).toISOString(),
      lastTickAt: new Date(recorded.wallAt).toISOString(),
    });
  }
  return marketNow;
}

export function tickDeps(p: Platform): TickDeps<Schedule> {
  const { DB } = p.env;
  const owner = p.newId();
  return {
    log: p.log,
    dueSchedules: (marketNow, limit) => dueSchedules(DB, marketNow, limit),
    line: (scheduleId) => slotLine(DB, scheduleId),
    lateAfterSeconds: TWO_TICKS_SECONDS * (p.config.DEMO ? p.config.REPLAY_SPEED : 1),
    claim: async (schedule, claims, doneUntil, next) => {
      const now = p.now();
      const [claimed] = await DB.batch<{ slot: number; state: string }>([
        claimSlots(
          DB,
          claims,
          { owner, now, leaseUntil: now + SLOT_LEASE_MS },
          { scheduleId: schedule.id, doneUntil: schedule.doneUntil },
        ),
        advanceSchedule(DB, schedule, doneUntil, next),
      ]);
      return (claimed?.results ?? [])
        .filter(({ state }) => state === "claimed")
        .map(({ slot }) => slot);
    },
    startBuffered: (limit) =>
      startBufferedSlots(DB, owner, p.now(), p.now() + SLOT_LEASE_MS, limit),
    takeAbandoned: (limit) =>
      takeOverdue(
        p,
        {
          queue: "schedule",
          count: (maximum) => openSlots(DB, maximum),
          take: (before, maximum) =>
            takeAbandonedSlots(DB, owner, before, p.now() + SLOT_LEASE_MS, maximum),
        },
        limit,
        0,
      ),
    enqueue: async (slots) => {
      const bodies = slots.map(async ({ scheduleId, slot }) => ({
        body: { scheduleId, slot, traceparent: await traceOfSlot(p, scheduleId, slot) },
      }));
      await sendAll(p.env.SCHEDULE_QUEUE, await Promise.all(bodies));
    },
  };
}

/**
 * A slot is one trace however often it is handed on: its id follows from the slot, and schedule ids
 * are random.
 */
async function traceOfSlot(p: Platform, scheduleId: string, slot: number): Promise<string> {
  return startTrace((await p.hash(`slot ${scheduleId} ${slot}`)).slice(0, 32), p.trace.spanId());
}

export function scheduleDeps(p: Platform): ScheduleDeps {
  const { DB } = p.env;
  return {
    log: p.log,
    trace: p.trace,
    fileUnreadable: fileUnreadable(p),
    openSlot: async (scheduleId, at) => {
      const [slot, schedule] = await Promise.all([
        findSlot(DB, scheduleId, at),
        findSchedule(DB, scheduleId),
      ]);
      if (slot === null || slot.state !== "claimed") return null;
      if (schedule === null) {
        await skipSlot(DB, scheduleId, at, "the schedule was deleted", p.now()).run();
        return null;
      }
      const { kind, jitterSeconds, target } = schedule;
      const archived = await archivedWhy(p, target);
      if (archived !== null) {
        await DB.batch([skipSlot(DB, scheduleId, at, archived, p.now()), ...stopsOf(p, target)]);
        return null;
      }
      return {
        scheduleId,
        slot: at,
        cursor: slot.cursor,
        kind,
        onlyDue: kind === "evaluation",
        jitterSeconds,
      };
    },
    symbols: async (slot, after, limit) => {
      const schedule = await findSchedule(DB, slot.scheduleId);
      if (schedule === null) return { symbols: [], next: null };
      return symbolPage(p, schedule.target, slot, after, limit);
    },
    record: async (slot, jobs, next) => {
      const now = p.now();
      const requests = jobs.map((job) => ({ ...job, dueAt: now + job.delaySeconds * 1000 }));
      const page = { cursor: next, jobIds: jobs.map(({ id }) => id) };
      const results = await DB.batch([
        ...(requests.length > 0 ? [insertJobs(DB, requests, now, slot)] : []),
        ...(slot.kind === "optimization" && requests.length > 0
          ? [recordRequested(DB, page.jobIds)]
          : []),
        advanceSlot(DB, slot, page, now, now + SLOT_LEASE_MS),
      ]);
      return (results.at(-1)?.meta.changes ?? 0) > 0;
    },
    enqueueJobs: (jobs) => enqueueJobs(p.env, jobs),
    enqueuePage: async (page) => {
      await p.env.SCHEDULE_QUEUE.send(page);
    },
  };
}

/** Why a schedule of this target has nothing to run any more; null while it has. */
async function archivedWhy({ env }: Platform, target: ScheduleTarget): Promise<string | null> {
  if ("symbol" in target) {
    const [asset] = await loadAssets(env.DB, [target.symbol]);
    return asset !== undefined && asset.archivedAt !== null ? ARCHIVED_ASSET : null;
  }
  if (!("portfolioId" in target)) return null;
  const portfolio = await findPortfolio(env.DB, target.portfolioId);
  return portfolio !== null && portfolio.archivedAt !== null ? ARCHIVED_PORTFOLIO : null;
}

const stopsOf = ({ env, now }: Platform, target: ScheduleTarget): D1PreparedStatement[] =>
  "symbol" in target
    ? followAsset(env.DB, target.symbol, now())
    : "portfolioId" in target
      ? [stopWithPortfolio(env.DB, target.portfolioId, now())]
      : [];

/** The subject of a portfolio's job; none for one that was deleted. */
async function portfolioSubjects({ env }: Platform, portfolioId: string): Promise<string[]> {
  const portfolio = await findPortfolio(env.DB, portfolioId);
  return portfolio === null || portfolio.archivedAt !== null
    ? []
    : [portfolioSubject(portfolio.id)];
}

/** How many assets one page of a slot looks through for those with something due. */
const SCANNED_PER_PAGE = 1_000;

async function symbolPage(
  p: Platform,
  target: ScheduleTarget,
  { onlyDue }: OpenSlot,
  after: string,
  limit: number,
): Promise<SymbolPage> {
  const db = p.env.DB;
  if ("portfolioId" in target) {
    const own = await portfolioSubjects(p, target.portfolioId);
    return { symbols: own.filter((one) => one > after), next: null };
  }
  if ("resolution" in target) return { symbols: [target.resolution], next: null };
  if ("symbol" in target) {
    const own = target.symbol > after ? [target.symbol] : [];
    return { symbols: onlyDue ? await withDueRecommendations(db, own) : own, next: null };
  }
  const size = onlyDue ? SCANNED_PER_PAGE : limit;
  const symbolsOf = onlyDue ? calendarSymbols : liveSymbols;
  const found = await symbolsOf(db, target.calendar, after, size + 1);
  const looked = found.slice(0, size);
  const wanted = onlyDue ? await withDueRecommendations(db, looked) : looked;
  const symbols = wanted.slice(0, limit);
  // What was found and does not fit is found again; what was only looked through is behind us.
  const last = wanted.length > limit ? symbols.at(-1) : looked.at(-1);
  const more = wanted.length > limit || found.length > size;
  return { symbols, next: more ? (last ?? null) : null };
}
