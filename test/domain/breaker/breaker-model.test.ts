import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Answer,
  BREAKER_POLICY,
  type BreakerCommand,
  type BreakerFact,
  type BreakerState,
  initialBreaker,
  type Permit,
} from "../../../src/domain/breaker/breaker.ts";
import { answerOf, decide, evolve } from "../../../src/domain/breaker/decide.ts";
import type { Verdict } from "../../../src/domain/breaker/verdict.ts";

const FAILURE: Verdict = { kind: "timeout", detail: "no answer", timeoutMs: 10_000 };
const SUCCESS: Verdict = { kind: "answered" };
const UNREACHED: Verdict = { kind: "unavailable", detail: "no connection", code: "x", reached: false };
const LIMIT: Verdict = { kind: "rateLimited", detail: "429", retryAfterSeconds: null };

/** A call that a caller has in hand: its permit, and what the model knows of it. */
interface Call {
  readonly permit: Permit;
  readonly subject: string;
  readonly isProbe: boolean;
  /** Let through out of turn, because its subject had not failed. */
  readonly isTrial: boolean;
  readonly began: number;
  /** The opening or closing it began in, as the model counts them. */
  readonly era: number;
}

/** What is known of a subject whose last call failed: when that was, and whether others were served since. */
interface Bad {
  readonly at: number;
  readonly own: boolean;
}

/** What must be so, kept in other words than the breaker's own: calls in hand, and a count of failures in a row. */
interface Model {
  now: number;
  /** Open by failures, by a probe or by hand. */
  open: boolean;
  byHand: boolean;
  failures: number;
  era: number;
  calls: Call[];
  /** The newest probe that is out and whose lease has not run out. */
  probe: Call | null;
  bad: Map<string, Bad>;
  /** Who was let through out of turn since it opened. */
  tried: Set<string>;
  mostTrials: number;
  /** Whose probe failed last, and who was told to wait since. */
  prober: string | null;
  waiting: Map<string, number>;
}

class Real {
  state: BreakerState = initialBreaker();
  leases = 0;

  run(command: BreakerCommand, now: number): BreakerFact[] {
    const facts = decide(this.state, command, now, BREAKER_POLICY);
    this.state = facts.reduce(evolve, this.state);
    return facts;
  }

  acquire(now: number, subject: string): Answer {
    this.leases += 1;
    const lease = `lease ${this.leases}`;
    this.run({ type: "acquire", lease, subject }, now);
    return answerOf(this.state, { lease, subject }, now, BREAKER_POLICY);
  }
}

const LEASE_MS = BREAKER_POLICY.probeLeaseSeconds * 1000;
const probeOut = (m: Model): boolean => m.probe !== null && m.now < m.probe.began + LEASE_MS;
const expectSame = (m: Model, r: Real): void => expect(r.state.kind !== "closed").toBe(m.open);

/** How often the histories went through what they are about. */
const seen = {
  openings: 0,
  failedProbes: 0,
  closings: 0,
  lateProbes: 0,
  servedTrials: 0,
  failedTrials: 0,
  ownFailures: 0,
  turnsKept: 0,
};

class Acquire implements fc.Command<Model, Real> {
  readonly #subject: string;
  constructor(subject: string) {
    this.#subject = subject;
  }
  check = () => true;
  run(m: Model, r: Real): void {
    const subject = this.#subject;
    const due = dueAt(r.state);
    const answer = r.acquire(m.now, subject);
    expectSame(m, r);
    const mayTry = m.open && !m.bad.has(subject) && !m.tried.has(subject) && m.tried.size < m.mostTrials;
    if (answer.kind === "wait") {
      // Closed never makes anybody wait, nor is anybody who has not failed sent away before so many others.
      expect(m.open).toBe(true);
      expect(mayTry).toBe(false);
      expect(answer.seconds).toBeGreaterThan(0);
      if (due !== null && m.now >= due && subject === m.prober && !probeOut(m)) seen.turnsKept += 1;
      m.waiting.set(subject, m.now);
      return;
    }
    expect(answer.open).toBe(m.open);
    const isProbe = m.open && r.state.kind === "halfOpen" && answer.permit.lease === r.state.lease;
    // While it is open one probe goes, and none while another is out or a person holds it open.
    if (isProbe) {
      expect(probeOut(m)).toBe(false);
      expect(m.byHand).toBe(false);
      // Nor the same one's again while somebody waits who comes in time.
      const inTime = due !== null && m.now < due + BREAKER_POLICY.openSeconds * 1000;
      const others = [...m.waiting].filter(([other, at]) => other !== subject && m.now - at < 300_000);
      if (subject === m.prober && inTime) expect(others).toEqual([]);
    }
    const isTrial = m.open && !isProbe;
    if (isTrial) expect(mayTry).toBe(true);
    if (isTrial) m.tried.add(subject);
    if (m.open) m.waiting.delete(subject);
    const call = { permit: answer.permit, subject, isProbe, isTrial, began: m.now, era: m.era };
    m.calls.push(call);
    if (isProbe) m.probe = call;
    if (isProbe) m.prober = subject;
  }
  toString = () => `acquire(${this.#subject})`;
}

const dueAt = (state: BreakerState): number | null =>
  state.kind === "open" ? state.until : state.kind === "halfOpen" ? state.leaseUntil : null;

class Report implements fc.Command<Model, Real> {
  readonly #which: number;
  readonly #verdict: Verdict;
  constructor(which: number, verdict: Verdict) {
    this.#which = which;
    this.#verdict = verdict;
  }
  check = (m: Readonly<Model>) => m.calls.length > 0;
  run(m: Model, r: Real): void {
    const [call] = m.calls.splice(this.#which % m.calls.length, 1);
    if (call === undefined) throw new Error("no call");
    const { permit, subject } = call;
    const verdict = this.#verdict;
    const facts = r.run({ type: "report", permit, subject, verdict }, m.now);
    const opened = facts.some(({ type }) => type === "opened");
    const closed = facts.some(({ type }) => type === "closed");
    const isCurrent = call.era === m.era;
    const failed = verdict === FAILURE || verdict === UNREACHED;
    const isOwn = m.bad.get(subject)?.own ?? false;
    if (!m.open && isCurrent) {
      // What one subject fails with while others are served is not the service's, unless nobody was there.
      if (failed && isOwn && verdict !== UNREACHED) seen.ownFailures += 1;
      else if (failed) m.failures += 1;
      if (verdict === SUCCESS) m.failures = 0;
      // Exactly at the fifth failure in a row: not before, not later.
      expect(opened).toBe(failed && m.failures === BREAKER_POLICY.failuresToOpen);
      expect(closed).toBe(false);
      if (failed) spoil(m, subject, isOwn);
      if (verdict === SUCCESS) serve(m, subject);
      if (opened) open(m, false, BREAKER_POLICY.trials);
      if (opened) seen.openings += 1;
    } else if (m.open && isCurrent && call === m.probe && probeOut(m)) {
      expect(opened).toBe(failed);
      expect(closed).toBe(!failed);
      if (failed) spoil(m, subject, isOwn);
      if (verdict === SUCCESS) serve(m, subject);
      if (opened) open(m, false, BREAKER_POLICY.trialsAfterProbe);
      else close(m);
      seen[opened ? "failedProbes" : "closings"] += 1;
    } else if (m.open && isCurrent && call.isTrial) {
      // Who is let through out of turn can close it, and cannot keep it open any longer.
      expect(opened).toBe(false);
      expect(closed).toBe(!failed);
      if (failed) spoil(m, subject, isOwn);
      if (verdict === SUCCESS) serve(m, subject);
      if (closed) close(m);
      seen[closed ? "servedTrials" : "failedTrials"] += 1;
    } else {
      if (m.open && call.isProbe && !failed) seen.lateProbes += 1;
      // A late result, or one of a probe that was lost, turns nothing.
      expect([opened, closed]).toEqual([false, false]);
      // That it failed is known all the same when only one turn lies between.
      const overtaken = call.era === m.era - 1 && m.open !== (call.isProbe || call.isTrial);
      if (failed && overtaken) spoil(m, subject, isOwn || !m.open);
    }
    expect(Object.keys(r.state.subjects).toSorted()).toEqual([...m.bad.keys()].toSorted());
    expectSame(m, r);
  }
  toString = () => `report(${this.#which}, ${this.#verdict.kind})`;
}

function open(m: Model, byHand: boolean, mostTrials: number): void {
  Object.assign(m, { open: true, byHand, probe: null, era: m.era + 1, mostTrials, tried: new Set() });
}

function close(m: Model): void {
  Object.assign(m, { open: false, byHand: false, probe: null, failures: 0, era: m.era + 1 });
  Object.assign(m, { prober: null, waiting: new Map() });
}

/** A subject's call failed: the last thing that is known of it, and the occasion to forget what is six hours old. */
function spoil(m: Model, subject: string, own: boolean): void {
  for (const [name, { at }] of m.bad) if (m.now - at >= 6 * 3_600_000) m.bad.delete(name);
  m.bad.set(subject, { at: m.now, own });
}

/** A subject was served: whoever else still fails does so by itself. */
function serve(m: Model, subject: string): void {
  m.bad.delete(subject);
  for (const [name, { at }] of m.bad) m.bad.set(name, { at, own: true });
}

/** Some calls in a row that go and come back at once. */
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

/** A worker dies with its call in hand: nobody will report it. */
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

/** However it came to be open, anybody who asks alone gets through in the end: after the longest wait, and a missed turn. */
class Recover implements fc.Command<Model, Real> {
  readonly #subject: string;
  constructor(subject: string) {
    this.#subject = subject;
  }
  check = (m: Readonly<Model>) => m.open && !m.byHand;
  run(m: Model, r: Real): void {
    m.now += 2 * Math.max(BREAKER_POLICY.longestOpenSeconds * 1000, LEASE_MS);
    const before = m.calls.length;
    new Acquire(this.#subject).run(m, r);
    expect(m.calls.length).toBe(before + 1);
  }
  toString = () => `recover(${this.#subject})`;
}

/** Somebody comes in the moment when the next probe may go. */
class InTime implements fc.Command<Model, Real> {
  readonly #subject: string;
  constructor(subject: string) {
    this.#subject = subject;
  }
  check = (m: Readonly<Model>) => m.open && !m.byHand;
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
      .tuple(fc.array(fc.constantFrom(FAILURE, FAILURE, FAILURE, SUCCESS, LIMIT), { maxLength: 8 }), few)
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
  it("keeps its promises through any history of calls, clocks, losses and hands", () => {
    fc.assert(
      fc.property(commands, (steps) => {
        const model: Model = {
          now: Date.UTC(2030, 0, 1),
          open: false,
          byHand: false,
          failures: 0,
          era: 0,
          calls: [],
          probe: null,
          bad: new Map(),
          tried: new Set(),
          mostTrials: 0,
          prober: null,
          waiting: new Map(),
        };
        fc.modelRun(() => ({ model, real: new Real() }), steps);
      }),
      { numRuns: 500 },
    );
    // The rarest comes some thirty times in five hundred histories; a handful of it is far out of chance's reach.
    for (const [what, times] of Object.entries(seen)) expect(times, what).toBeGreaterThan(5);
    // Histories of a hundred steps take their time on a busy machine.
  }, 60_000);
});
