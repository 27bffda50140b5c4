import { decideProcess, type ProcessCommand } from "../../../src/domain/process/decide.ts";
import type { ActionPolicy, ProcessDefinition } from "../../../src/domain/process/definition.ts";
import {
  evolveProcess,
  initialProcess,
  type ProcessFact,
  type ProcessState,
  type StepAttempt,
} from "../../../src/domain/process/state.ts";
import type { Decider } from "../../kit/given.ts";

export const twice: ActionPolicy = {
  retry: { type: "table", waitSeconds: [10] },
  boundSeconds: 600,
};

/**
 * A made-up process: the flight and the car can be taken back, looking at the weather cannot and
 * need not.
 */
export const TRIP: ProcessDefinition = {
  steps: [
    { name: "flight", ...twice, compensation: twice },
    { name: "weather", ...twice, compensation: null },
    { name: "car", ...twice, compensation: twice },
  ],
};

export const deciderOf = (
  definition: ProcessDefinition,
): Decider<ProcessState, ProcessCommand, ProcessFact> => ({
  initial: () => initialProcess(definition, 0),
  evolve: (state, fact) => evolveProcess(definition, state, fact),
  decide: (state, command) => decideProcess(definition, state, command),
});

export const MINUTE = 60_000;

export const begin = (at: number): ProcessCommand => ({ do: "begin", at, leaseUntil: at + MINUTE });
export const fault = { code: "platform.unexpected", detail: "no answer" };

const settle = (
  at: number,
  outcome: (ProcessCommand & { do: "settle" })["outcome"],
): ProcessCommand => ({
  do: "settle",
  startedAt: at,
  at,
  random: 0.5,
  outcome,
});
export const succeed = (at: number, value: unknown = null) => settle(at, { kind: "done", value });
export const failFor = (at: number) => settle(at, { kind: "later", error: fault });
export const refuse = (at: number) => settle(at, { kind: "refused", error: fault });
export const wait = (at: number) => settle(at, { kind: "waiting" });

const attempt = (
  at: number,
  outcome: StepAttempt["outcome"],
  direction: StepAttempt["direction"],
) => ({
  direction,
  startedAt: at,
  endedAt: at,
  outcome,
  error: outcome === "done" ? null : fault,
});

/** Facts of a history. */
export const begun = (at: number): ProcessFact => ({
  fact: "StepBegun",
  at,
  leaseUntil: at + MINUTE,
});
export const stepDone = (at: number, result: unknown = null): ProcessFact => ({
  fact: "StepDone",
  at,
  attempt: attempt(at, "done", "forward"),
  result,
});
export const compensating = (at: number): ProcessFact => ({
  fact: "CompensationBegan",
  at,
  error: fault,
});
export const undone = (at: number): ProcessFact => ({
  fact: "StepCompensated",
  at,
  attempt: attempt(at, "done", "backward"),
});
export const retries = (at: number): ProcessFact => ({
  fact: "StepRetries",
  at,
  attempt: attempt(at, "later", "forward"),
  until: at + 10_000,
});
