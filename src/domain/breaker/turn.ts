import type { BreakerState } from "./breaker.ts";
import type { BreakerPolicy } from "./policy.ts";
import { markOf, openMs } from "./subjects.ts";

/*
 * Rules for who may call a service whose breaker is open. The first permits go to subjects that
 * have not failed, once each and only to a few: they separate a failure of the service from
 * failures of single subjects. After that there is one probe at a time, which goes round the
 * subjects that wait.
 */

type Shut = Exclude<BreakerState, { readonly kind: "closed" }>;

/**
 * When the next probe may go, epoch ms: the wait is over, or the lease of a probe that was lost.
 * Null for never.
 */
export const probeFrom = (state: Shut): number | null =>
  state.kind === "open" ? state.until : state.leaseUntil;

/** Until this instant only the subject whose turn it is may probe; after that any caller. */
export const turnUntil = (state: Shut, policy: BreakerPolicy): number =>
  (probeFrom(state) ?? 0) + openMs(state.failedProbes, policy);

/**
 * True if a subject may have the probe: it is time, and no other subject waits whose last probe is
 * older or missing. A subject that does not come for as long as the breaker was open has missed its
 * turn.
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

/** A subject that has not failed goes before one that has. */
function lastProbed(state: Shut, subject: string, now: number): number {
  // A probe that was lost left no other trace.
  if (subject === state.prober) return now;
  return markOf(state.subjects, subject)?.probedAt ?? -1;
}

const trialsLeft = (state: Shut): number => state.trials - Object.keys(state.tried).length;

/** True if a subject may call an open breaker's service out of turn. */
export const mayTry = (state: Shut, subject: string): boolean =>
  trialsLeft(state) > 0 &&
  markOf(state.subjects, subject) === null &&
  !Object.values(state.tried).includes(subject);

/** True if a subject is to be listed as waiting: one that is already, and a few others. */
export const isNoted = (state: Shut, subject: string, policy: BreakerPolicy): boolean =>
  Object.hasOwn(state.waiting, subject) || Object.keys(state.waiting).length < policy.waitersKept;

/** True if every caller gets the same answer, and it changes nothing. */
export const isShared = (state: Shut, now: number, policy: BreakerPolicy): boolean => {
  const from = probeFrom(state);
  if (from === null) return true;
  return (
    now < from && trialsLeft(state) <= 0 && Object.keys(state.waiting).length >= policy.waitersKept
  );
};
