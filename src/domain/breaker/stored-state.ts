import type { BreakerState } from "./breaker.ts";

/**
 * Defaults of the fields that states gained since they were first written: no failed subject, no
 * waiting one, no trial.
 */
const SINCE_THE_FIRST = { subjects: {}, trials: 0, tried: {}, waiting: {}, prober: null } as const;

/** A state as it was written by this version or an older one. */
export function readBreakerState(text: string): BreakerState {
  const stored = JSON.parse(text) as BreakerState;
  if (stored.kind === "closed") return { ...stored, subjects: stored.subjects ?? {} };
  return { ...SINCE_THE_FIRST, ...stored };
}
