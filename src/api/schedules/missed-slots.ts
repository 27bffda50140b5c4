import { skipClaims } from "../../domain/schedule/claims.ts";
import { skippedSlots } from "../../domain/schedule/due-slots.ts";
import type { Schedule } from "../../records/jobs/schedule-records.ts";
import { claimSlots } from "../../records/jobs/slot-records.ts";

/** Why the slots of a pause did not run. */
export const PAUSED = "paused";

/**
 * Records as skipped what a schedule was due for and will not run: (doneUntil, until], as far as it
 * can be listed. Nothing once the schedule is no longer as it was read.
 */
export function skipMissed(
  db: D1Database,
  schedule: Schedule,
  until: number,
  why: string,
  now: number,
): D1PreparedStatement {
  const missed = skippedSlots(schedule.cadence, schedule.doneUntil, until, why);
  const claims = skipClaims(schedule.id, missed, until);
  const { id: scheduleId, doneUntil, updatedAt } = schedule;
  const standing = { scheduleId, doneUntil, updatedAt };
  return claimSlots(db, claims, { owner: "api", now, leaseUntil: now }, standing);
}
