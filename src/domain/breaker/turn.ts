import type { BreakerState } from "./breaker.ts";
import type { BreakerPolicy } from "./policy.ts";
import { markOf, openMs } from "./subjects.ts";

/*
 * Who may ask a service whose breaker is open. The first leave goes to subjects that have not failed, once each and only to
 * a few: they tell the failure of a service from failures of its questions. What is left is one probe at a time, which goes
 * round among those that wait.
 */

type Shut = Exclude<BreakerState, { readonly kind: "closed" }>;

/**
 * When the next probe may go, epoch ms: the wait is over, or the lease of a probe that was lost.
 * Null for never.
 */
export const probeFrom = (state: Shut): number | null =>
  state.kind === "open" ? state.until : state.leaseUntil;

/** Until when only those may probe whose turn it is; after that whoever asks. */
export const turnUntil = (state: Shut, policy: BreakerPolicy): number =>
  (probeFrom(state) ?? 0) + openMs(state.failedProbes, policy);

/**
 * Whether a subject may have the probe: it is time, and nobody waits who had it longer ago or
 * never. Whoever does not come for as long as the breaker was open has missed the turn.
 */
export function mayProbe(
  state: Shut,
  subject: string,
  now: number,
  policy: BreakerPolicy,
): boolean {
  const from = probeFrom(state);
  if (from === null || now < from) return false;
  if (now >= turnUntil(state, policy)) return true;
  const own = lastProbed(state, subject, now);
  const remembered = 2 * policy.longestOpenSeconds * 1000;
  return !Object.entries(state.waiting).some(
    ([other, at]) =>
      other !== subject && now - at <= remembered && lastProbed(state, other, now) < own,
  );
}

/** A subject that has failed can wait; one that has not comes before it. */
function lastProbed(state: Shut, subject: string, now: number): number {
  // A probe that was lost left no other trace.
  if (subject === state.prober) return now;
  return markOf(state.subjects, subject)?.probedAt ?? -1;
}

const trialsLeft = (state: Shut): number => state.trials - Object.keys(state.tried).length;

/** Whether a subject may ask an open breaker's service out of turn. */
export const mayTry = (state: Shut, subject: string): boolean =>
  trialsLeft(state) > 0 &&
  markOf(state.subjects, subject) === null &&
  !Object.values(state.tried).includes(subject);

/** Whether a subject is to be noted as waiting: one that is already, and a few others. */
export const isNoted = (state: Shut, subject: string, policy: BreakerPolicy): boolean =>
  Object.hasOwn(state.waiting, subject) || Object.keys(state.waiting).length < policy.waitersKept;

/** Whether everybody who asks gets the same answer, and it changes nothing. */
export const isShared = (state: Shut, now: number, policy: BreakerPolicy): boolean => {
  const from = probeFrom(state);
  if (from === null) return true;
  return (
    now < from && trialsLeft(state) <= 0 && Object.keys(state.waiting).length >= policy.waitersKept
  );
};
