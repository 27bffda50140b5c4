import fc from "fast-check";
import { expect, it } from "vitest";
import {
  decideProcess,
  type ProcessCommand,
  type StepOutcome,
} from "../../../src/domain/process/decide.ts";
import type { ProcessDefinition } from "../../../src/domain/process/definition.ts";
import { definitionOf, PROCESS_KINDS } from "../../../src/domain/process/kinds.ts";
import {
  evolveProcess,
  initialProcess,
  type ProcessState,
} from "../../../src/domain/process/state.ts";
import { TRIP, twice } from "./trip.ts";

const fault = { code: "platform.unexpected", detail: "" };

const outcome: fc.Arbitrary<StepOutcome> = fc.oneof(
  { weight: 5, arbitrary: fc.constant<StepOutcome>({ kind: "done", value: null }) },
  { weight: 2, arbitrary: fc.constant<StepOutcome>({ kind: "waiting" }) },
  { weight: 2, arbitrary: fc.constant<StepOutcome>({ kind: "later", error: fault }) },
  { weight: 1, arbitrary: fc.constant<StepOutcome>({ kind: "refused", error: fault }) },
);

/**
 * The next event: a worker that ends its step, one that dies in it, a manual action, the detector,
 * or time.
 */
const happening = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("work" as const), outcome }) },
  { weight: 1, arbitrary: fc.constant({ kind: "crash" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "settle twice" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "resume" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "compensate" as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("pass" as const), seconds: fc.nat(900) }) },
);

const someProcess: fc.Arbitrary<ProcessDefinition> = fc
  .array(fc.boolean(), { minLength: 1, maxLength: 6 })
  .map((undoable) => ({
    steps: undoable.map((can, index) => ({
      name: `step ${index}`,
      ...twice,
      compensation: can ? twice : null,
    })),
  }));
const definition = fc.oneof(
  fc.constant(TRIP),
  ...PROCESS_KINDS.map((kind) => fc.constant(definitionOf(kind))),
  someProcess,
);

/** A process and everything that was done to the world in its name. */
class World {
  state: ProcessState;
  now = 0;
  readonly deeds: { readonly what: "run" | "undo"; readonly step: number; done: boolean }[] = [];
  readonly definition: ProcessDefinition;

  constructor(definition: ProcessDefinition) {
    this.definition = definition;
    this.state = initialProcess(definition, 0);
  }

  command(command: ProcessCommand): boolean {
    const decided = decideProcess(this.definition, this.state, command);
    if ("refused" in decided) return false;
    for (const fact of decided) this.state = evolveProcess(this.definition, this.state, fact);
    return true;
  }

  begin(): boolean {
    return this.command({ do: "begin", at: this.now, leaseUntil: this.now + 60_000 });
  }

  /**
   * Only a leased step can be settled, and that is the last effect, even if its worker seemed to be
   * dead.
   */
  settle(what: StepOutcome): void {
    const taken = this.command({
      do: "settle",
      startedAt: this.now,
      at: this.now,
      random: 0.5,
      outcome: what,
    });
    const last = this.deeds.at(-1);
    if (taken && last !== undefined) last.done = what.kind === "done";
  }

  work(what: StepOutcome | null): void {
    this.now = Math.max(this.now, this.state.dueAt ?? this.now);
    if (!this.begin()) return;
    const { step, direction } = this.state;
    this.deeds.push({ what: direction === "forward" ? "run" : "undo", step, done: false });
    if (what !== null) this.settle(what);
  }
}

it("ends every process completed, compensated whole and in reverse order, or stuck; nothing runs after a compensation", () => {
  fc.assert(
    fc.property(definition, fc.array(happening, { maxLength: 60 }), (steps, happenings) => {
      const world = new World(steps);
      for (const next of happenings) {
        if (next.kind === "work") world.work(next.outcome);
        if (next.kind === "crash") world.work(null);
        if (next.kind === "settle twice") world.settle({ kind: "done", value: null });
        if (next.kind === "pass") world.now += next.seconds * 1000;
        if (next.kind === "resume") world.command({ do: "resume", at: world.now });
        if (next.kind === "compensate")
          world.command({ do: "compensate", at: world.now, reason: "" });
        world.command({ do: "detectStuck", at: world.now });
      }
      // From here on everything works, so it ends within a step forward and one back for each.
      for (let round = 0; round < 3 * steps.steps.length; round++)
        world.work({ kind: "done", value: null });
      const { state } = world;
      expect(["completed", "compensated", "stuck"]).toContain(state.state);

      const undos = world.deeds
        .filter(({ what, done }) => what === "undo" && done)
        .map(({ step }) => step);
      expect(undos).toEqual([...new Set(undos)].sort((a, b) => b - a));
      const firstUndo = world.deeds.findIndex(({ what }) => what === "undo");
      if (firstUndo !== -1) {
        expect(world.deeds.slice(firstUndo).every(({ what }) => what === "undo")).toBe(true);
      }
      const begun = new Set(
        world.deeds.filter(({ what }) => what === "run").map(({ step }) => step),
      );
      const undoable = [...begun].filter((step) => steps.steps[step]?.compensation !== null);
      if (state.state === "compensated") expect(new Set(undos)).toEqual(new Set(undoable));
      if (state.state === "completed") {
        expect(undos).toEqual([]);
        expect(begun.size).toBe(steps.steps.length);
      }
      expect(state.finishedAt === null).toBe(state.state === "stuck");
      expect(state.dueAt).toBeNull();
    }),
    { numRuns: 2_000 },
  );
});
