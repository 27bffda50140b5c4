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
   * Another subject was served since: the failures are its own and say nothing about the service.
   */
  readonly own: boolean;
  /** Until when it is left alone on its own account; 0 when it is not. */
  readonly heldUntil: number;
}

/** Max subjects stored, those that failed last. */
const SUBJECTS_KEPT = 64;

/**
 * A subject without a failure for so long is dropped. Jobs that wait poll once an hour or more
 * often.
 */
const FORGOTTEN_MS = 6 * 3_600_000;

/** Failures by subject. */
export type Subjects = Readonly<Record<string, SubjectFailure>>;

export const markOf = (subjects: Subjects, subject: string): SubjectFailure | null =>
  Object.hasOwn(subjects, subject) ? (subjects[subject] ?? null) : null;

/** The failures after one more; the oldest make room for it. */
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
 * The failures after a subject was served: its own is removed, and the others fail while someone is
 * served.
 */
export const withSuccess = (subjects: Subjects, served: string): Subjects =>
  Object.fromEntries(
    Object.entries(subjects)
      .filter(([name]) => name !== served)
      .map(([name, entry]) => [name, { ...entry, own: true }]),
  );

/** The failures after a subject was granted the probe. One that never failed has no entry. */
export function withProbe(subjects: Subjects, subject: string, at: number): Subjects {
  const entry = markOf(subjects, subject);
  return entry === null ? subjects : { ...subjects, [subject]: { ...entry, probedAt: at } };
}

/**
 * A subject's own wait grows like that of a breaker: zero for its first failures, then longer and
 * longer.
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

/** The wait after so many failures beyond the first wait, in milliseconds. */
export const openMs = (failedAgain: number, policy: BreakerPolicy): number =>
  1000 * Math.min(policy.longestOpenSeconds, policy.openSeconds * 2 ** Math.min(failedAgain, 30));
