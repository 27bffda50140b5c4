import type { Problem } from "../outcome.ts";
import type { ProcessDefinition } from "./definition.ts";

/**
 * running → waiting → … → completed, or compensating → compensated. `waiting` polls again later;
 * `stuck` needs a person, who resumes it or has it compensated.
 */
export const PROCESS_STATES = [
  "running",
  "waiting",
  "completed",
  "compensating",
  "compensated",
  "stuck",
] as const;
export type ProcessStateName = (typeof PROCESS_STATES)[number];

/** `begun` may have had an effect, even if its end was never recorded. */
export const STEP_STATES = ["pending", "begun", "done", "failed", "compensated"] as const;
type StepStateName = (typeof STEP_STATES)[number];

/** Doing the steps, or compensating them. There is no way from backward to forward. */
export const DIRECTIONS = ["forward", "backward"] as const;
type Direction = (typeof DIRECTIONS)[number];

/** One try of a step or of its compensation. Instants are epoch milliseconds. */
export interface StepAttempt {
  readonly direction: Direction;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly outcome: "done" | "later" | "refused";
  readonly error: Problem | null;
}

export interface StepState {
  readonly name: string;
  readonly state: StepStateName;
  /** Its result, which compensations and later steps read. */
  readonly result: unknown;
  /** Oldest first, at most STORED_ATTEMPTS of the last. */
  readonly attempts: readonly StepAttempt[];
}

export interface ProcessState {
  readonly state: ProcessStateName;
  readonly direction: Direction;
  /** The step in progress; −1 when nothing is left to compensate. */
  readonly step: number;
  readonly steps: readonly StepState[];
  /** Failed tries and polls in vain of the step in progress, since it began or was resumed. */
  readonly tries: number;
  readonly looks: number;
  /** When the step came into work or was resumed. */
  readonly since: number;
  /** When it goes on; null when it does not by itself. */
  readonly dueAt: number | null;
  /** Lease of the worker that runs the step. */
  readonly leaseUntil: number | null;
  /** The reason why it is being compensated or stuck; null otherwise. */
  readonly error: Problem | null;
  readonly finishedAt: number | null;
}

/** Facts of a process. `at` is epoch milliseconds. */
export type ProcessFact =
  | { readonly fact: "StepBegun"; readonly at: number; readonly leaseUntil: number }
  | {
      readonly fact: "StepDone";
      readonly at: number;
      readonly attempt: StepAttempt;
      readonly result: unknown;
    }
  | { readonly fact: "StepWaits"; readonly at: number; readonly until: number }
  | {
      readonly fact: "StepRetries";
      readonly at: number;
      readonly attempt: StepAttempt;
      readonly until: number;
    }
  | { readonly fact: "StepFailed"; readonly at: number; readonly attempt: StepAttempt }
  | { readonly fact: "StepCompensated"; readonly at: number; readonly attempt: StepAttempt }
  | { readonly fact: "CompensationBegan"; readonly at: number; readonly error: Problem }
  | { readonly fact: "ProcessCompleted"; readonly at: number }
  | { readonly fact: "ProcessCompensated"; readonly at: number }
  | { readonly fact: "ProcessStuck"; readonly at: number; readonly error: Problem }
  | { readonly fact: "ProcessResumed"; readonly at: number };

export const STORED_ATTEMPTS = 50;

export const initialProcess = ({ steps }: ProcessDefinition, at: number): ProcessState => ({
  state: "running",
  direction: "forward",
  step: 0,
  steps: steps.map(({ name }) => ({ name, state: "pending", result: null, attempts: [] })),
  tries: 0,
  looks: 0,
  since: at,
  dueAt: at,
  leaseUntil: null,
  error: null,
  finishedAt: null,
});

/** The last step at or before `from` that was begun and can be taken back, or −1. */
export const nextToCompensate = (
  { steps: definitions }: ProcessDefinition,
  steps: readonly StepState[],
  from: number,
): number =>
  steps.findLastIndex(
    ({ state }, index) =>
      index <= from &&
      (definitions[index]?.compensation ?? null) !== null &&
      (state === "begun" || state === "done" || state === "failed"),
  );

/** The process after a fact. */
export const evolveProcess = (
  definition: ProcessDefinition,
  process: ProcessState,
  fact: ProcessFact,
): ProcessState => {
  switch (fact.fact) {
    case "StepBegun":
      return {
        ...withStep(process, (step) =>
          process.direction === "forward" && step.state === "pending"
            ? { ...step, state: "begun" }
            : step,
        ),
        state: process.direction === "forward" ? "running" : "compensating",
        leaseUntil: fact.leaseUntil,
        dueAt: fact.leaseUntil,
      };
    case "StepDone":
      return atStep(
        withAttempt(process, fact.attempt, { state: "done", result: fact.result }),
        process.step + 1,
        fact.at,
      );
    case "StepWaits":
      return { ...free(process, fact.until), looks: process.looks + 1 };
    case "StepRetries":
      return {
        ...free(withAttempt(process, fact.attempt, {}), fact.until),
        tries: process.tries + 1,
      };
    case "StepFailed":
      return withAttempt(
        process,
        fact.attempt,
        process.direction === "forward" ? { state: "failed" } : {},
      );
    case "StepCompensated": {
      const undone = withAttempt(process, fact.attempt, { state: "compensated" });
      return atStep(undone, nextToCompensate(definition, undone.steps, process.step - 1), fact.at);
    }
    case "CompensationBegan": {
      const first = nextToCompensate(definition, process.steps, process.steps.length - 1);
      return {
        ...atStep({ ...process, direction: "backward" }, first, fact.at),
        state: "compensating",
        error: fact.error,
        finishedAt: null,
      };
    }
    case "ProcessCompleted":
      return ended(process, "completed", fact.at);
    case "ProcessCompensated":
      return ended(process, "compensated", fact.at);
    case "ProcessStuck":
      return { ...process, state: "stuck", error: fact.error, dueAt: null, leaseUntil: null };
    case "ProcessResumed":
      return {
        ...atStep(process, process.step, fact.at),
        state: process.direction === "forward" ? "running" : "compensating",
      };
  }
};

const withStep = (process: ProcessState, change: (step: StepState) => StepState): ProcessState => ({
  ...process,
  steps: process.steps.map((step, index) => (index === process.step ? change(step) : step)),
});

const withAttempt = (
  process: ProcessState,
  attempt: StepAttempt,
  change: Partial<Pick<StepState, "state" | "result">>,
): ProcessState =>
  withStep(process, (step) => ({
    ...step,
    ...change,
    attempts: [...step.attempts, attempt].slice(-STORED_ATTEMPTS),
  }));

/** A step comes into work, now, with all its tries. */
const atStep = (process: ProcessState, step: number, at: number): ProcessState => ({
  ...process,
  step,
  state: process.direction === "forward" ? "running" : "compensating",
  tries: 0,
  looks: 0,
  since: at,
  dueAt: at,
  leaseUntil: null,
});

/** Releases the lease; the process goes on later. */
const free = (process: ProcessState, until: number): ProcessState => ({
  ...process,
  state: process.direction === "forward" ? "waiting" : "compensating",
  dueAt: until,
  leaseUntil: null,
});

const ended = (
  process: ProcessState,
  state: "completed" | "compensated",
  at: number,
): ProcessState => ({
  ...process,
  state,
  dueAt: null,
  leaseUntil: null,
  finishedAt: at,
});
