import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BREAKER_POLICY } from "../../../src/domain/breaker/policy.ts";
import type { Verdict } from "../../../src/domain/breaker/verdict.ts";
import {
  Acquire,
  close,
  dueAt,
  expectSame,
  FAILURE,
  LEASE_MS,
  LIMIT,
  type Model,
  open,
  Real,
  Report,
  SUCCESS,
  seen,
  UNREACHED,
} from "./model.ts";

/** Some calls in a row that end at once. */
class Calls implements fc.Command<Model, Real> {
  readonly #verdicts: readonly Verdict[];
  readonly #subjects: string;
  constructor(verdicts: readonly Verdict[], subjects: string) {
    this.#verdicts = verdicts;
    this.#subjects = subjects;
  }
  check = () => true;
  run(m: Model, r: Real): void {
    for (const [n, verdict] of this.#verdicts.entries()) {
      const before = m.calls.length;
      new Acquire(this.#subjects.charAt(n % this.#subjects.length)).run(m, r);
      if (m.calls.length > before) new Report(before, verdict).run(m, r);
    }
  }
  toString = () => `calls(${this.#subjects}: ${this.#verdicts.map(({ kind }) => kind).join(", ")})`;
}

class Pass implements fc.Command<Model, Real> {
  readonly #ms: number;
  constructor(ms: number) {
    this.#ms = ms;
  }
  check = () => true;
  run(m: Model, r: Real): void {
    m.now += this.#ms;
    expectSame(m, r);
  }
  toString = () => `pass(${this.#ms} ms)`;
}

/** A worker dies during its call, which is never reported. */
class Lose implements fc.Command<Model, Real> {
  readonly #which: number;
  constructor(which: number) {
    this.#which = which;
  }
  check = (m: Readonly<Model>) => m.calls.length > 0;
  run(m: Model, r: Real): void {
    m.calls.splice(this.#which % m.calls.length, 1);
    expectSame(m, r);
  }
  toString = () => `lose(${this.#which})`;
}

class Trip implements fc.Command<Model, Real> {
  check = () => true;
  run(m: Model, r: Real): void {
    r.run({ type: "trip", reason: "by hand", until: null }, m.now);
    open(m, true, 0);
    expectSame(m, r);
  }
  toString = () => "trip";
}

class Reset implements fc.Command<Model, Real> {
  check = () => true;
  run(m: Model, r: Real): void {
    const facts = r.run({ type: "reset", reason: "by hand" }, m.now);
    if (facts.length > 0) close(m);
    m.bad.clear();
    expectSame(m, r);
    expect(m.open).toBe(false);
  }
  toString = () => "reset";
}

/**
 * However it was opened, a caller that asks alone gets through in the end: after the longest wait,
 * and a missed turn.
 */
class Recover implements fc.Command<Model, Real> {
  readonly #subject: string;
  constructor(subject: string) {
    this.#subject = subject;
  }
  check = (m: Readonly<Model>) => m.open && !m.manually;
  run(m: Model, r: Real): void {
    m.now += 2 * Math.max(BREAKER_POLICY.longestOpenSeconds * 1000, LEASE_MS);
    const before = m.calls.length;
    new Acquire(this.#subject).run(m, r);
    expect(m.calls.length).toBe(before + 1);
  }
  toString = () => `recover(${this.#subject})`;
}

/** A caller comes in the moment when the next probe may go. */
class InTime implements fc.Command<Model, Real> {
  readonly #subject: string;
  constructor(subject: string) {
    this.#subject = subject;
  }
  check = (m: Readonly<Model>) => m.open && !m.manually;
  run(m: Model, r: Real): void {
    m.now = Math.max(m.now, dueAt(r.state) ?? 0);
    new Calls([FAILURE], this.#subject).run(m, r);
  }
  toString = () => `in time(${this.#subject})`;
}

const which = fc.nat(20);
const subject = fc.constantFrom("A", "B", "C", "D", "E", "F", "G");
const few = fc.constantFrom("A", "AB", "ABC", "ABCDEFG", "GFE");
const commands = fc.commands(
  [
    subject.map((s) => new Acquire(s)),
    subject.map((s) => new Acquire(s)),
    subject.map((s) => new Acquire(s)),
    which.map((n) => new Report(n, FAILURE)),
    which.map((n) => new Report(n, FAILURE)),
    which.map((n) => new Report(n, UNREACHED)),
    which.map((n) => new Report(n, SUCCESS)),
    which.map((n) => new Report(n, LIMIT)),
    fc.oneof(fc.nat(40_000), fc.constant(30_000), fc.constant(29_999)).map((ms) => new Pass(ms)),
    which.map((n) => new Lose(n)),
    fc
      .tuple(
        fc.array(fc.constantFrom(FAILURE, FAILURE, FAILURE, SUCCESS, LIMIT), { maxLength: 8 }),
        few,
      )
      .map(([v, s]) => new Calls(v, s)),
    fc
      .tuple(fc.array(fc.constant(FAILURE), { minLength: 4, maxLength: 5 }), few)
      .map(([v, s]) => new Calls(v, s)),
    // Some fail and the next is served.
    fc
      .integer({ min: 1, max: 6 })
      .map((n) => new Calls([...Array<Verdict>(n).fill(FAILURE), SUCCESS], "ABCDEFG")),
    fc.constant(new Trip()),
    fc.constant(new Reset()),
    subject.map((s) => new Recover(s)),
    fc.constantFrom("A", "B").map((s) => new InTime(s)),
  ],
  { maxCommands: 120, size: "+1" },
);

describe("a breaker shared by several callers", () => {
  it("keeps its promises through any history of calls, clocks, losses and manual actions", () => {
    fc.assert(
      fc.property(commands, (steps) => {
        const model: Model = {
          now: Date.UTC(2030, 0, 1),
          open: false,
          manually: false,
          failures: 0,
          era: 0,
          calls: [],
          probe: null,
          bad: new Map(),
          tried: new Set(),
          maxTrials: 0,
          prober: null,
          waiting: new Map(),
        };
        fc.modelRun(() => ({ model, real: new Real() }), steps);
      }),
      { numRuns: 500 },
    );
    // The rarest event occurs some thirty times in five hundred histories, so a handful never fails
    // randomly.
    for (const [what, times] of Object.entries(seen)) expect(times, what).toBeGreaterThan(5);
    // Histories of a hundred steps take their time on a busy machine.
  }, 60_000);
});
