import { iso } from "../iso.ts";
import type { Cadence } from "./cadence.ts";
import { dueSlots } from "./due-slots.ts";

/** As many slots as one request may ask for. */
export const MAX_BACKFILL_SLOTS = 1_000;

/** 1990-01-01: no trading calendar is known before. */
const EARLIEST = 631_152_000_000;

export type Backfill =
  | { readonly kind: "slots"; readonly slots: readonly number[] }
  | { readonly kind: "refused"; readonly field: "from" | "to"; readonly reason: string };

/**
 * The slots of a cadence in [from, to] (epoch ms), oldest first, or the reason why they cannot be
 * listed at once. The range is in the past; later slots belong to the clock.
 */
export const backfillSlots = (
  cadence: Cadence,
  from: number,
  to: number,
  marketNow: number,
): Backfill => {
  if (from < EARLIEST) return { kind: "refused", field: "from", reason: "is before 1990-01-01" };
  if (to < from) return { kind: "refused", field: "to", reason: "is before from" };
  if (to > marketNow) {
    return {
      kind: "refused",
      field: "to",
      reason: `lies in the future: it is ${iso(marketNow)}`,
    };
  }
  const { slots, next, more } = dueSlots({
    cadence,
    after: from - 1,
    until: to,
    // No slot in the range is too old: the whole range was requested.
    catchUpSeconds: Math.ceil((to - from) / 1000) + 1,
    limit: MAX_BACKFILL_SLOTS,
  });
  if (more && next !== null) {
    return {
      kind: "refused",
      field: "to",
      reason: `the range holds more than ${MAX_BACKFILL_SLOTS} slots; ask up to ${iso(next - 1)} first`,
    };
  }
  return { kind: "slots", slots };
};
