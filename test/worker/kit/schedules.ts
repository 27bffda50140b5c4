import { env } from "cloudflare:workers";
import { nextSlot } from "../../../src/domain/schedule/due-slots.ts";
import {
  createSchedule,
  deleteSchedule,
  type Schedule,
} from "../../../src/records/jobs/schedule-records.ts";
import { rows } from "./market.ts";

export const TEN_MINUTES = 600_000;

/** A schedule of its own asset that is due every ten minutes from now on. */
export async function every10Minutes(
  id: string,
  changes: Partial<Schedule> = {},
): Promise<Schedule> {
  const now = Date.now();
  const cadence = changes.cadence ?? { type: "interval", everySeconds: 600, anchor: now };
  const schedule: Schedule = {
    id,
    name: id,
    kind: "ingest",
    target: { symbol: id },
    cadence,
    overlap: "allow",
    catchUpSeconds: 3600,
    jitterSeconds: 0,
    createdAt: now,
    updatedAt: now,
    pausedAt: null,
    doneUntil: now,
    nextDue: nextSlot(cadence, now),
    ...changes,
  };
  await createSchedule(env.DB, schedule).run();
  return schedule;
}

export interface SlotRow {
  readonly slot: number;
  readonly state: string;
  readonly skipped_why: string | null;
  readonly triggered_by: string;
  readonly jobs: number;
  readonly shared: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly finished_at: number | null;
}

export const slotsOf = (id: string) =>
  rows<SlotRow>(
    `SELECT slot, state, skipped_why, triggered_by, jobs, shared, succeeded, failed, cancelled, finished_at
     FROM slots WHERE schedule_id = ? ORDER BY slot`,
    id,
  );

export const jobsOf = (id: string) =>
  rows<{ id: string; slot: number; state: string }>(
    "SELECT id, slot, state FROM jobs WHERE schedule_id = ? ORDER BY id",
    id,
  );

/** The schedule leaves the stage, so that later ticks of this file are not about it. */
export const close = (id: string) => deleteSchedule(env.DB, id).run();

/** Slots whose counts differ from what their jobs say. None, ever. */
export const miscounted = () =>
  rows(
    `SELECT slots.schedule_id, slots.slot, slots.jobs, slots.succeeded, slots.failed, slots.cancelled, slots.finished_at,
            count(jobs.id) AS own, sum(jobs.state IN ('queued', 'running', 'retrying')) AS open
     FROM slots LEFT JOIN jobs ON jobs.schedule_id = slots.schedule_id AND jobs.slot = slots.slot
     GROUP BY slots.schedule_id, slots.slot
     HAVING slots.jobs <> count(jobs.id)
         OR slots.succeeded <> coalesce(sum(jobs.state = 'succeeded'), 0)
         OR slots.failed <> coalesce(sum(jobs.state = 'failed'), 0)
         OR slots.cancelled <> coalesce(sum(jobs.state = 'cancelled'), 0)
         OR (slots.state = 'enqueued') <> (slots.finished_at IS NOT NULL)
            AND slots.state <> 'skipped' AND coalesce(sum(jobs.state IN ('queued', 'running', 'retrying')), 0) = 0`,
  );
