import type { Cadence } from "../domain/schedule/cadence.ts";
import { decideClaims, type SlotClaim } from "../domain/schedule/claims.ts";
import { dueSlots } from "../domain/schedule/due-slots.ts";
import type { OverlapPolicy } from "../domain/schedule/overlap.ts";
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

export interface TickDeps<S extends DueSchedule = DueSchedule> {
  readonly dueSchedules: (marketNow: number, limit: number) => Promise<readonly S[]>;
  /**
   * Slots of the schedule whose work is not finished: first the open one, then one that waits. Two
   * are enough.
   */
  readonly line: (scheduleId: string) => Promise<readonly number[]>;
  /**
   * One transaction: if the schedule is unchanged since it was read and not paused, claims its free
   * slots, under a lease, and moves it on. Returns the slots to run.
   */
  readonly claim: (
    schedule: S,
    claims: readonly SlotClaim[],
    doneUntil: number,
    next: number | null,
  ) => Promise<readonly number[]>;
  /**
   * Waiting slots with no open slot before them, claimed under a lease: the oldest of each
   * schedule.
   */
  readonly startBuffered: (
    limit: number,
  ) => Promise<readonly { scheduleId: string; slot: number }[]>;
  /** Slots whose owner did not finish inside its lease; they are ours now. */
  readonly takeAbandoned: (
    limit: number,
  ) => Promise<readonly { scheduleId: string; slot: number }[]>;
  readonly enqueue: (slots: readonly { scheduleId: string; slot: number }[]) => Promise<void>;
  /** A slot taken later than this, on the market's clock, is caught up with. */
  readonly lateAfterSeconds: number;
  readonly log: Log;
}

export interface TickReport {
  readonly schedules: number;
  readonly claimed: number;
  readonly buffered: number;
  readonly skipped: number;
  readonly resumed: number;
}

/** Max work of one tick; the rest stays due for the next. */
const MAX_SCHEDULES = 100;
const MAX_SLOTS = 50;
const MAX_ABANDONED = 100;
const MAX_BUFFERED = 100;

/**
 * One tick of the clock: finds the due slots, claims each once, and enqueues them. Doubled and
 * concurrent ticks claim no slot twice; slots that an earlier tick claimed and did not enqueue are
 * enqueued now.
 */
export async function tick<S extends DueSchedule>(
  marketNow: number,
  deps: TickDeps<S>,
): Promise<TickReport> {
  const resumed =
    (await resume("abandoned", () => deps.takeAbandoned(MAX_ABANDONED), deps)) +
    (await resume("waiting", () => deps.startBuffered(MAX_BUFFERED), deps));
  const schedules = await deps.dueSchedules(marketNow, MAX_SCHEDULES);
  let claimed = 0;
  let buffered = 0;
  let skipped = 0;
  for (const schedule of schedules) {
    try {
      const report = await claimDue(schedule, marketNow, deps);
      claimed += report.claimed;
      buffered += report.buffered;
      skipped += report.skipped;
    } catch (error) {
      // A schedule that cannot be read must not stop the others; it stays due and is tried at every
      // tick.
      deps.log({
        level: "error",
        message: "schedule not evaluated",
        scheduleId: schedule.id,
        error: String(error),
      });
    }
  }
  return { schedules: schedules.length, claimed, buffered, skipped, resumed };
}

/**
 * Old slots must not keep new ones waiting: if this fails, their lease runs out again and the next
 * tick takes them.
 */
async function resume(
  what: string,
  take: () => Promise<readonly { scheduleId: string; slot: number }[]>,
  deps: Pick<TickDeps, "enqueue" | "log">,
): Promise<number> {
  try {
    const taken = await take();
    if (taken.length > 0) await deps.enqueue(taken);
    return taken.length;
  } catch (error) {
    deps.log({ level: "error", message: `${what} slots not resumed`, error: String(error) });
    return 0;
  }
}

async function claimDue<S extends DueSchedule>(
  schedule: S,
  marketNow: number,
  deps: TickDeps<S>,
): Promise<Pick<TickReport, "claimed" | "buffered" | "skipped">> {
  const due = dueSlots({
    cadence: schedule.cadence,
    after: schedule.doneUntil,
    until: marketNow,
    catchUpSeconds: schedule.catchUpSeconds,
    limit: MAX_SLOTS,
  });
  const claims = decideClaims({
    scheduleId: schedule.id,
    overlap: schedule.overlap,
    due,
    line: schedule.overlap === "allow" ? [] : await deps.line(schedule.id),
    marketNow,
    lateAfterSeconds: deps.lateAfterSeconds,
  });
  const doneUntil = due.more ? (due.slots.at(-1) ?? marketNow) : marketNow;
  const ours = await deps.claim(schedule, claims, doneUntil, due.next);
  if (ours.length > 0) await deps.enqueue(ours.map((slot) => ({ scheduleId: schedule.id, slot })));
  const count = (state: SlotClaim["state"]) =>
    claims.filter((claim) => claim.state === state).length;
  return { claimed: ours.length, buffered: count("buffered"), skipped: count("skipped") };
}
