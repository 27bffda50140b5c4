import type { BreakerPolicy } from "./policy.ts";

/** A subject whose last call failed. Instants are epoch ms. */
export interface SubjectFailure {
  /** Its failures in a row. */
  readonly failures: number;
  /** Its last failure. */
  readonly at: number;
  /** When it last had the probe; 0 for never. */
  readonly probedAt: number;
  /**
   * Another subject was served since: what it fails with is its own and says nothing about the
   * service.
   */
  readonly own: boolean;
  /** Until when it is left alone on its own account; 0 when it is not. */
  readonly heldUntil: number;
}

/** So many subjects are remembered, those that failed last. */
const SUBJECTS_KEPT = 64;

/**
 * One that has not failed for so long is like all others. Jobs that wait look once an hour at
 * least.
 */
const FORGOTTEN_MS = 6 * 3_600_000;

/** Marks by subject. */
export type Subjects = Readonly<Record<string, SubjectFailure>>;

export const markOf = (subjects: Subjects, subject: string): SubjectFailure | null =>
  Object.hasOwn(subjects, subject) ? (subjects[subject] ?? null) : null;

/** The marks after a failure; the oldest make room for it. */
export function withFailure(
  subjects: Subjects,
  {
    subject,
    at,
    own,
    heldUntil,
  }: {
    readonly subject: string;
    readonly at: number;
    readonly own: boolean;
    readonly heldUntil: number;
  },
): Subjects {
  const before = markOf(subjects, subject);
  const others = Object.entries(subjects)
    .filter(([name, entry]) => name !== subject && at - entry.at < FORGOTTEN_MS)
    .toSorted(([, a], [, b]) => b.at - a.at)
    .slice(0, SUBJECTS_KEPT - 1);
  const { probedAt = 0 } = before ?? {};
  const entry: SubjectFailure = {
    failures: (before?.failures ?? 0) + 1,
    at,
    probedAt,
    own,
    heldUntil,
  };
  return Object.fromEntries([...others, [subject, entry]]);
}

/**
 * The marks after a subject was served: its own is gone, and whoever else fails does so while
 * others are served.
 */
export const withSuccess = (subjects: Subjects, served: string): Subjects =>
  Object.fromEntries(
    Object.entries(subjects)
      .filter(([name]) => name !== served)
      .map(([name, entry]) => [name, { ...entry, own: true }]),
  );

/** The marks after a subject was given the probe. One that never failed has none. */
export function withProbe(subjects: Subjects, subject: string, at: number): Subjects {
  const entry = markOf(subjects, subject);
  return entry === null ? subjects : { ...subjects, [subject]: { ...entry, probedAt: at } };
}

/**
 * A subject's own wait grows like that of a breaker: nothing for its first failures, then longer
 * and longer.
 */
export function heldUntil(
  subjects: Subjects,
  subject: string,
  at: number,
  policy: BreakerPolicy,
): number {
  const entry = markOf(subjects, subject);
  const failures = (entry?.failures ?? 0) + 1;
  if (entry === null || !entry.own || failures < policy.failuresToOpen) return 0;
  return at + openMs(failures - policy.failuresToOpen, policy);
}

/** How long to leave alone what has failed so often after the first wait, in milliseconds. */
export const openMs = (failedAgain: number, policy: BreakerPolicy): number =>
  1000 * Math.min(policy.longestOpenSeconds, policy.openSeconds * 2 ** Math.min(failedAgain, 30));
