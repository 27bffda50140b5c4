import { attemptsOf, waitSeconds } from "../job/retry-policy.ts";
import type { Outcome, Problem } from "../outcome.ts";
import type { ActionPolicy, ProcessDefinition } from "./definition.ts";
import {
  evolveProcess,
  nextToCompensate,
  type ProcessFact,
  type ProcessState,
  type StepAttempt,
} from "./state.ts";

/**
 * Outcome of a try of a step or of its compensation. `waiting` is no failure: the thing it waits
 * for does not exist yet.
 */
export type StepOutcome = Outcome<unknown> | { readonly kind: "waiting" };

/** Commands of a process. Instants are epoch milliseconds, `random` is in [0, 1). */
export type ProcessCommand =
  | { readonly do: "begin"; readonly at: number; readonly leaseUntil: number }
  | {
      readonly do: "settle";
      readonly startedAt: number;
      readonly at: number;
      readonly random: number;
      readonly outcome: StepOutcome;
    }
  | { readonly do: "resume"; readonly at: number }
  | { readonly do: "compensate"; readonly at: number; readonly reason: string }
  | { readonly do: "detectStuck"; readonly at: number };

export type ProcessRefusal =
  | "finished"
  | "stuck"
  | "not_due"
  | "leased"
  | "not_leased"
  | "not_stuck"
  | "compensating_already";

export type ProcessDecision = readonly ProcessFact[] | { readonly refused: ProcessRefusal };

/** Clocks of queue and Worker need not agree to the second. */
const SLACK_MS = 1_000;
/** First wait between two polls of work in progress elsewhere. */
const FIRST_POLL_SECONDS = 2;
const MAX_POLL_SECONDS = 30;

/**
 * The facts that a command makes true, or the reason why there are none. Total: every command may
 * come at any time, in any state.
 */
export const decideProcess = (
  definition: ProcessDefinition,
  process: ProcessState,
  command: ProcessCommand,
): ProcessDecision => {
  switch (command.do) {
    case "begin":
      return begin(process, command);
    case "settle":
      return process.leaseUntil === null
        ? { refused: "not_leased" }
        : settle(definition, process, command);
    case "resume":
      return process.state === "stuck"
        ? [{ fact: "ProcessResumed", at: command.at }]
        : { refused: "not_stuck" };
    case "compensate":
      return compensate(definition, process, command);
    case "detectStuck":
      return detectStuck(definition, process, command.at);
  }
};

/** The policy of the action in progress: the step, or its compensation. Null when there is none. */
const policyInWork = ({ steps }: ProcessDefinition, process: ProcessState): ActionPolicy | null => {
  const step = steps[process.step];
  if (step === undefined) return null;
  return process.direction === "forward" ? step : step.compensation;
};

/** When the step in work has taken too long, epoch ms; null when no step is in work. */
export const stuckAt = (definition: ProcessDefinition, process: ProcessState): number | null => {
  const policy = policyInWork(definition, process);
  return policy === null || process.dueAt === null
    ? null
    : process.since + policy.boundSeconds * 1000;
};

const isLeased = ({ leaseUntil }: ProcessState, at: number): boolean =>
  leaseUntil !== null && leaseUntil > at;

const begin = (
  process: ProcessState,
  { at, leaseUntil }: ProcessCommand & { do: "begin" },
): ProcessDecision => {
  switch (process.state) {
    case "completed":
    case "compensated":
      return { refused: "finished" };
    case "stuck":
      return { refused: "stuck" };
    case "running":
    case "waiting":
    case "compensating":
      if (isLeased(process, at)) return { refused: "leased" };
      return process.dueAt !== null && process.dueAt > at + SLACK_MS
        ? { refused: "not_due" }
        : [{ fact: "StepBegun", at, leaseUntil }];
  }
};

const settle = (
  definition: ProcessDefinition,
  process: ProcessState,
  { startedAt, at, random, outcome }: ProcessCommand & { do: "settle" },
): ProcessDecision => {
  const policy = policyInWork(definition, process);
  if (policy === null) return { refused: "not_leased" };
  switch (outcome.kind) {
    case "waiting": {
      const wait = Math.min(
        MAX_POLL_SECONDS,
        FIRST_POLL_SECONDS * 2 ** Math.min(process.looks, 10),
      );
      return [{ fact: "StepWaits", at, until: at + wait * 1000 }];
    }
    case "done":
      return stepDone(
        definition,
        process,
        attemptOf(process, startedAt, at, "done", null),
        outcome.value,
      );
    case "later": {
      const attempt = attemptOf(process, startedAt, at, "later", outcome.error);
      const tries = process.tries + 1;
      if (tries >= attemptsOf(policy.retry))
        return retriesExhausted(definition, process, attempt, outcome.error);
      const wait = waitSeconds(policy.retry, tries, random, outcome.afterSeconds);
      return [{ fact: "StepRetries", at, attempt, until: at + wait * 1000 }];
    }
    case "refused":
      return retriesExhausted(
        definition,
        process,
        attemptOf(process, startedAt, at, "refused", outcome.error),
        outcome.error,
      );
  }
};

const attemptOf = (
  { direction }: ProcessState,
  startedAt: number,
  endedAt: number,
  outcome: StepAttempt["outcome"],
  error: Problem | null,
): StepAttempt => ({ direction, startedAt, endedAt, outcome, error });

const stepDone = (
  definition: ProcessDefinition,
  process: ProcessState,
  attempt: StepAttempt,
  result: unknown,
): ProcessFact[] => {
  const at = attempt.endedAt;
  if (process.direction === "forward") {
    const last = process.step === definition.steps.length - 1;
    const done: ProcessFact = { fact: "StepDone", at, attempt, result };
    return last ? [done, { fact: "ProcessCompleted", at }] : [done];
  }
  const undone: ProcessFact = { fact: "StepCompensated", at, attempt };
  return nextToCompensate(definition, process.steps, process.step - 1) === -1
    ? [undone, { fact: "ProcessCompensated", at }]
    : [undone];
};

/**
 * A step that fails for good is compensated with those before it; one that cannot be compensated
 * needs a person.
 */
const retriesExhausted = (
  definition: ProcessDefinition,
  process: ProcessState,
  attempt: StepAttempt,
  error: Problem,
): ProcessFact[] => {
  const failed: ProcessFact = { fact: "StepFailed", at: attempt.endedAt, attempt };
  if (process.direction === "backward")
    return [failed, { fact: "ProcessStuck", at: attempt.endedAt, error }];
  const after = evolveProcess(definition, process, failed);
  return [failed, ...beginCompensation(definition, after, attempt.endedAt, error)];
};

const beginCompensation = (
  definition: ProcessDefinition,
  process: ProcessState,
  at: number,
  error: Problem,
): ProcessFact[] => {
  const began: ProcessFact = { fact: "CompensationBegan", at, error };
  return nextToCompensate(definition, process.steps, process.steps.length - 1) === -1
    ? [began, { fact: "ProcessCompensated", at }]
    : [began];
};

const compensate = (
  definition: ProcessDefinition,
  process: ProcessState,
  { at, reason }: ProcessCommand & { do: "compensate" },
): ProcessDecision => {
  if (process.direction === "backward") {
    return { refused: process.state === "compensated" ? "finished" : "compensating_already" };
  }
  // Its effect could come after its compensation: first it is let finish, or its lease run out.
  if (isLeased(process, at)) return { refused: "leased" };
  return beginCompensation(definition, process, at, {
    code: "compensation_ordered",
    detail: reason,
  });
};

const detectStuck = (
  definition: ProcessDefinition,
  process: ProcessState,
  at: number,
): ProcessDecision => {
  const limit = stuckAt(definition, process);
  if (limit === null || at <= limit || isLeased(process, at)) return [];
  const name = process.steps[process.step]?.name ?? "";
  const what = process.direction === "forward" ? `the step ${name}` : `the compensation of ${name}`;
  const seconds = Math.floor((at - process.since) / 1000);
  return [
    {
      fact: "ProcessStuck",
      at,
      error: { code: "stuck", detail: `${what} has not got through for ${seconds} s` },
    },
  ];
};
