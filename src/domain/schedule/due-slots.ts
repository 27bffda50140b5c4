import type { Cadence } from "./cadence.ts";
import { calendarRule } from "./calendar-rule.ts";
import { cronRule } from "./cron-rule.ts";
import { intervalRule } from "./interval-rule.ts";
import type { SlotRule } from "./slot-rule.ts";

export interface DueSlotsQuestion {
  readonly cadence: Cadence;
  /** Epoch ms; the last instant already dealt with. Slots at it are not due again. */
  readonly after: number;
  /** Epoch ms; "now". A slot exactly at it is due. */
  readonly until: number;
  /**
   * A slot older than this, measured from `until`, is skipped. A slot exactly as old is still due.
   */
  readonly catchUpSeconds: number;
  /** Max slots to return; 1 or more. */
  readonly limit: number;
}

/** A due slot that is not processed, and the reason. */
interface SkippedSlot {
  readonly slot: number;
  readonly why: string;
}

/** All the skipped slots of one answer, however many. */
interface SkippedSpan {
  readonly first: number;
  readonly last: number;
  readonly count: number;
  /** False when the count stopped early; then `count` is a lower bound. */
  readonly exact: boolean;
  readonly why: string;
}

export interface DueSlots {
  /** Epoch ms, oldest first, at most `limit`. */
  readonly slots: readonly number[];
  /** The oldest skipped slots, one by one, at most LISTED_SKIPS of them. */
  readonly skipped: readonly SkippedSlot[];
  /** All skipped slots, including those beyond LISTED_SKIPS; null without any. */
  readonly skippedSpan: SkippedSpan | null;
  /**
   * The first slot that was not returned, so when to ask again: at or before `until` when there are
   * `more`; null for never.
   */
  readonly next: number | null;
  /** True if slots up to `until` remain. Ask again with the last returned slot as `after`. */
  readonly more: boolean;
}

/** Max skipped slots in a result. A year off at one a minute would be half a million. */
export const LISTED_SKIPS = 100;
/** Max skipped slots that are visited to count them, where they cannot be computed. */
export const COUNTED_SKIPS = 500;

/**
 * Two ticks of the clock: with less, a tick that comes late would skip slots that were never
 * missed.
 */
const MIN_CATCH_UP_SECONDS = 120;
const MAX_CATCH_UP_SECONDS = 366 * 86_400;

const TOO_OLD = "older than the catch-up window";

/**
 * The reason why a catch-up window is invalid, or null when it is valid. Call it before storing
 * one.
 */
export const validateCatchUp = (catchUpSeconds: number): string | null => {
  if (!Number.isInteger(catchUpSeconds))
    return "the catch-up window must be a whole number of seconds";
  if (catchUpSeconds < MIN_CATCH_UP_SECONDS)
    return "the catch-up window must be at least 120 seconds";
  if (catchUpSeconds > MAX_CATCH_UP_SECONDS) return "the catch-up window must be at most 366 days";
  return null;
};

const slotRule = (cadence: Cadence): SlotRule => {
  switch (cadence.type) {
    case "cron":
      return cronRule(cadence);
    case "interval":
      return intervalRule(cadence);
    case "calendar":
      return calendarRule(cadence);
  }
};

/** The slots after `after` that pass `wanted`, at most `max`, and the first one beyond them. */
const take = (
  rule: SlotRule,
  after: number,
  wanted: (slot: number) => boolean,
  maximum: number,
): { readonly slots: readonly number[]; readonly beyond: number | null } => {
  const slots: number[] = [];
  let slot = rule.next(after);
  while (slot !== null && wanted(slot) && slots.length < maximum) {
    slots.push(slot);
    slot = rule.next(slot);
  }
  return { slots, beyond: slot };
};

const skippedBefore = (
  rule: SlotRule,
  after: number,
  horizon: number,
  why: string,
): Pick<DueSlots, "skipped" | "skippedSpan"> => {
  const counted = rule.count(after, horizon);
  const tooOld = (slot: number): boolean => slot < horizon;
  const { slots, beyond } = take(
    rule,
    after,
    tooOld,
    counted === null ? COUNTED_SKIPS : LISTED_SKIPS,
  );
  const first = slots[0];
  if (first === undefined) return { skipped: [], skippedSpan: null };
  const last = rule.previous(horizon) ?? first;
  const exact = counted !== null || beyond === null || !tooOld(beyond);
  return {
    skipped: slots.slice(0, LISTED_SKIPS).map((slot) => ({ slot, why })),
    skippedSpan: { first, last, count: counted ?? slots.length, exact, why },
  };
};

/**
 * The slots in (after, until], oldest first, and those that are too old to process.
 *
 * The same input has the same result, and a span cut in two gives the same slots as the whole: so a
 * tick that comes twice, late, or not at all changes nothing as long as the gap fits the catch-up
 * window. The work is bounded by `limit` and by COUNTED_SKIPS, whatever the gap. The cadence must
 * have passed `validateCadence`.
 */
export const dueSlots = ({
  cadence,
  after,
  until,
  catchUpSeconds,
  limit,
}: DueSlotsQuestion): DueSlots => {
  if (!(Number.isInteger(limit) && limit >= 1))
    throw new RangeError(`A limit of ${limit} would never advance`);
  const rule = slotRule(cadence);
  const horizon = until - catchUpSeconds * 1000;
  const { slots, beyond } = take(
    rule,
    Math.max(after, horizon - 1),
    (slot) => slot <= until,
    limit,
  );
  return {
    slots,
    ...skippedBefore(rule, after, horizon, TOO_OLD),
    next: beyond,
    more: beyond !== null && beyond <= until,
  };
};

/**
 * The slots in (after, until] when all of them are skipped, and the reason. As bounded as
 * `dueSlots`.
 */
export const skippedSlots = (
  cadence: Cadence,
  after: number,
  until: number,
  why: string,
): Pick<DueSlots, "skipped" | "skippedSpan"> =>
  skippedBefore(slotRule(cadence), after, until + 1, why);

/** The first slot (epoch ms) after an instant, or null when there is none. */
export const nextSlot = (cadence: Cadence, after: number): number | null =>
  slotRule(cadence).next(after);
