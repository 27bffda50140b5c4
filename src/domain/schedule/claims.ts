import { iso } from "../iso.ts";
import type { DueSlots } from "./due-slots.ts";
import { decideOverlap, type OverlapPolicy } from "./overlap.ts";
import type { SlotTrigger } from "./slot.ts";

/** A due slot and its decision. Instants are epoch milliseconds of the market's clock. */
export interface SlotClaim {
  readonly scheduleId: string;
  readonly slot: number;
  readonly state: "claimed" | "buffered" | "skipped";
  /** The reason why it is skipped; null otherwise. */
  readonly skippedWhy: string | null;
  readonly trigger: SlotTrigger;
  /** Delay of the claim after its slot. */
  readonly lateSeconds: number;
}

export interface ClaimQuestion {
  readonly scheduleId: string;
  readonly overlap: OverlapPolicy;
  readonly due: Pick<DueSlots, "slots" | "skipped" | "skippedSpan">;
  /** The schedule's slots whose work has not ended, in the order in which they run. */
  readonly line: readonly number[];
  readonly marketNow: number;
  /** Taken later than this, a slot is caught up with. */
  readonly lateAfterSeconds: number;
}

/**
 * Decides about everything that is due in a tick: each slot runs, waits, or is skipped with its
 * reason.
 */
export const decideClaims = (question: ClaimQuestion): SlotClaim[] => {
  const { overlap, due, marketNow } = question;
  const line = [...question.line];
  const claims = skipClaims(question.scheduleId, due, marketNow);
  for (const slot of due.slots) {
    // It is in the line already: a person ran it at this very moment.
    if (line.includes(slot)) continue;
    const decision = decideOverlap(overlap, line);
    const lateSeconds = secondsLate(slot, marketNow);
    claims.push({
      scheduleId: question.scheduleId,
      slot,
      state: STATE_OF[decision.kind],
      skippedWhy: decision.kind === "skip" ? decision.why : null,
      trigger: lateSeconds > question.lateAfterSeconds ? "catch-up" : "due",
      lateSeconds,
    });
    if (decision.kind !== "skip") line.push(slot);
  }
  return claims;
};

const STATE_OF = { run: "claimed", buffer: "buffered", skip: "skipped" } as const;

/**
 * Skipped slots, each with its reason. Where there are too many to list, the last listed one covers
 * those after it, so that every due slot is accounted for.
 */
export const skipClaims = (
  scheduleId: string,
  { skipped, skippedSpan }: Pick<DueSlots, "skipped" | "skippedSpan">,
  marketNow: number,
): SlotClaim[] =>
  skipped.map(({ slot, why }, index) => ({
    scheduleId,
    slot,
    state: "skipped",
    skippedWhy: index === skipped.length - 1 ? why + unnamed(skipped.length, skippedSpan) : why,
    trigger: "due",
    lateSeconds: secondsLate(slot, marketNow),
  }));

const unnamed = (named: number, span: DueSlots["skippedSpan"]): string => {
  const rest = (span?.count ?? named) - named;
  if (span === null || rest <= 0) return "";
  const last = iso(span.last);
  return `; so ${rest === 1 ? "is the one" : `are ${span.exact ? "the" : "at least"} ${rest}`} after it, up to ${last}`;
};

const secondsLate = (slot: number, marketNow: number): number =>
  Math.max(0, Math.floor((marketNow - slot) / 1000));
