import type { RetryPolicy } from "../job/retry-policy.ts";

/** Policy of a step, or of its compensation. */
export interface ActionPolicy {
  readonly retry: RetryPolicy;
  /** An action that takes longer needs a person. */
  readonly boundSeconds: number;
}

interface StepDefinition extends ActionPolicy {
  readonly name: string;
  /** Null when there is nothing to compensate. */
  readonly compensation: ActionPolicy | null;
}

/**
 * The steps of a process, in the order in which they are done; they are taken back in the opposite
 * one.
 */
export interface ProcessDefinition {
  readonly steps: readonly StepDefinition[];
}
