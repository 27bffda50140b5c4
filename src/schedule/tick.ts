import type { Cadence } from "../domain/schedule/cadence.ts";
import { dueSlots } from "../domain/schedule/due-slots.ts";
import { decideOverlap, type OverlapPolicy } from "../domain/schedule/overlap.ts";
import type { Log } from "../domain/trace/log-context.ts";

/** A schedule as the tick sees it. Instants are epoch milliseconds. */
export interface DueSchedule {
  readonly id: string;
  readonly cadence: Cadence;
  readonly overlap: OverlapPolicy;
  readonly catchUpSeconds: number;
  /** Everything due up to here has been turned into slots. */
  readonly doneUntil: number;
}

export interface SlotClaim {
  readonly scheduleId: string;
  readonly slot: number;
  readonly skippedWhy: string | null;
}

export interface TickDeps<S extends DueSchedule = DueSchedule> {
  readonly dueSchedules: (marketNow: number, limit: number) => Promise<readonly S[]>;
  /** A slot of the schedule whose work is not finished, or null. */
  readonly openSlot: (scheduleId: string) => Promise<number | null>;
  /**
   * One transaction: takes the slots that nobody has taken, under a lease, and moves the schedule on if it still stands
   * where it was read. Tells the slots that are ours to run.
   */
  readonly claim: (
    schedule: S,
    claims: readonly SlotClaim[],
    doneUntil: number,
    next: number | null,
  ) => Promise<readonly number[]>;
  /** Slots whose owner did not finish inside its lease; they are ours now. */
  readonly takeAbandoned: (limit: number) => Promise<readonly { scheduleId: string; slot: number }[]>;
  readonly enqueue: (slots: readonly { scheduleId: string; slot: number }[]) => Promise<void>;
  readonly log: Log;
}

export interface TickReport {
  readonly schedules: number;
  readonly claimed: number;
  readonly skipped: number;
  readonly resumed: number;
}

/** What one tick may take on; the rest stays due and is taken by the next. */
const MOST_SCHEDULES = 100;
const MOST_SLOTS = 50;
const MOST_ABANDONED = 100;

/**
 * One tick of the clock: finds the due slots, claims each once, and hands them on. Doubled and concurrent ticks claim
 * nothing twice; what an earlier tick claimed and did not hand on is handed on now.
 */
export async function tick<S extends DueSchedule>(marketNow: number, deps: TickDeps<S>): Promise<TickReport> {
  const resumed = await resumeAbandoned(deps);
  const schedules = await deps.dueSchedules(marketNow, MOST_SCHEDULES);
  let claimed = 0;
  let skipped = 0;
  for (const schedule of schedules) {
    try {
      const report = await claimDue(schedule, marketNow, deps);
      claimed += report.claimed;
      skipped += report.skipped;
    } catch (error) {
      // A schedule that cannot be read must not stop the others; it stays due and is tried at every tick.
      deps.log({
        level: "error",
        message: "schedule not evaluated",
        scheduleId: schedule.id,
        error: String(error),
      });
    }
  }
  return { schedules: schedules.length, claimed, skipped, resumed };
}

/** Old slots must not keep new ones waiting: if this fails, their lease runs out again and the next tick takes them. */
async function resumeAbandoned(deps: Pick<TickDeps, "takeAbandoned" | "enqueue" | "log">): Promise<number> {
  try {
    const abandoned = await deps.takeAbandoned(MOST_ABANDONED);
    if (abandoned.length > 0) await deps.enqueue(abandoned);
    return abandoned.length;
  } catch (error) {
    deps.log({ level: "error", message: "abandoned slots not resumed", error: String(error) });
    return 0;
  }
}

async function claimDue<S extends DueSchedule>(
  schedule: S,
  marketNow: number,
  deps: TickDeps<S>,
): Promise<{ claimed: number; skipped: number }> {
  const due = dueSlots({
    cadence: schedule.cadence,
    after: schedule.doneUntil,
    until: marketNow,
    catchUpSeconds: schedule.catchUpSeconds,
    limit: MOST_SLOTS,
  });
  const claims = await decide(schedule, due, deps);
  const doneUntil = due.more ? (due.slots.at(-1) ?? marketNow) : marketNow;
  const ours = await deps.claim(schedule, claims, doneUntil, due.next);
  if (ours.length > 0) await deps.enqueue(ours.map((slot) => ({ scheduleId: schedule.id, slot })));
  return { claimed: ours.length, skipped: claims.filter(({ skippedWhy }) => skippedWhy !== null).length };
}

async function decide(
  schedule: DueSchedule,
  due: ReturnType<typeof dueSlots>,
  deps: Pick<TickDeps, "openSlot">,
): Promise<SlotClaim[]> {
  const claims: SlotClaim[] = due.skipped.map(({ slot, why }) => ({
    scheduleId: schedule.id,
    slot,
    skippedWhy: why,
  }));
  let open = schedule.overlap === "allow" ? null : await deps.openSlot(schedule.id);
  for (const slot of due.slots) {
    const decision = decideOverlap(schedule.overlap, open);
    claims.push({
      scheduleId: schedule.id,
      slot,
      skippedWhy: decision.kind === "skip" ? decision.why : null,
    });
    if (decision.kind === "run") open = slot;
  }
  return claims;
}
