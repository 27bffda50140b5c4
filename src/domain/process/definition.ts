import type { RetryPolicy } from "../job/retry-policy.ts";

/** What a step does, or what takes it back. */
export interface ActionPolicy {
  readonly retry: RetryPolicy;
  /** One that has not got through for longer needs a person. */
  readonly boundSeconds: number;
}

interface StepDefinition extends ActionPolicy {
  readonly name: string;
  /** Null when there is nothing to take back. */
  readonly compensation: ActionPolicy | null;
}

/**
 * The steps of a process, in the order in which they are done; they are taken back in the opposite
 * one.
 */
export interface ProcessDefinition {
  readonly steps: readonly StepDefinition[];
}
