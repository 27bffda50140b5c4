import type fc from "fast-check";
import { expect } from "vitest";
import {
  type Answer,
  type BreakerCommand,
  type BreakerFact,
  type BreakerState,
  initialBreaker,
  type Permit,
} from "../../../src/domain/breaker/breaker.ts";
import { answerOf, decide, evolve } from "../../../src/domain/breaker/decide.ts";
import { BREAKER_POLICY } from "../../../src/domain/breaker/policy.ts";
import type { Verdict } from "../../../src/domain/breaker/verdict.ts";

export const FAILURE: Verdict = { kind: "timeout", detail: "no answer", timeoutMs: 10_000 };
export const SUCCESS: Verdict = { kind: "answered" };
export const UNREACHED: Verdict = {
  kind: "unavailable",
  detail: "no connection",
  code: "x",
  reached: false,
};
export const LIMIT: Verdict = { kind: "rateLimited", detail: "429", retryAfterSeconds: null };

/** A call in flight: its permit, and the model's knowledge of it. */
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

/** A subject whose last call failed: the instant, and whether others were served since. */
interface Bad {
  readonly at: number;
  readonly own: boolean;
}

/**
 * The expected state, in other terms than the breaker's own: calls in flight, and a count of
 * failures in a row.
 */
export interface Model {
  now: number;
  /** Open by failures, by a probe or manually. */
  open: boolean;
  manually: boolean;
  failures: number;
  era: number;
  calls: Call[];
  /** The newest probe in flight whose lease has not expired. */
  probe: Call | null;
  bad: Map<string, Bad>;
  /** Subjects that were let through out of turn since it opened. */
  tried: Set<string>;
  maxTrials: number;
  /** Subject of the last failed probe, and the subjects that wait since. */
  prober: string | null;
  waiting: Map<string, number>;
}

export class Real {
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

export const LEASE_MS = BREAKER_POLICY.probeLeaseSeconds * 1000;
const probeOut = (m: Model): boolean => m.probe !== null && m.now < m.probe.began + LEASE_MS;
export const expectSame = (m: Model, r: Real): void =>
  expect(r.state.kind !== "closed").toBe(m.open);

/** How often the histories reached each case. */
export const seen = {
  openings: 0,
  failedProbes: 0,
  closings: 0,
  lateProbes: 0,
  servedTrials: 0,
  failedTrials: 0,
  ownFailures: 0,
  turnsKept: 0,
};

export class Acquire implements fc.Command<Model, Real> {
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
    const mayTry =
      m.open && !m.bad.has(subject) && !m.tried.has(subject) && m.tried.size < m.maxTrials;
    if (answer.kind === "wait") {
      // A closed breaker makes no caller wait, and an open one refuses a subject without failures
      // only after the trials are used up.
      expect(m.open).toBe(true);
      expect(mayTry).toBe(false);
      expect(answer.seconds).toBeGreaterThan(0);
      if (due !== null && m.now >= due && subject === m.prober && !probeOut(m)) seen.turnsKept += 1;
      m.waiting.set(subject, m.now);
      return;
    }
    expect(answer.open).toBe(m.open);
    const isProbe = m.open && r.state.kind === "halfOpen" && answer.permit.lease === r.state.lease;
    // While it is open one probe goes, and none while another is in flight or a person holds it
    // open.
    if (isProbe) {
      expect(probeOut(m)).toBe(false);
      expect(m.manually).toBe(false);
      // The same subject gets no second probe while another waits that comes in time.
      const inTime = due !== null && m.now < due + BREAKER_POLICY.openSeconds * 1000;
      const others = [...m.waiting].filter(
        ([other, at]) => other !== subject && m.now - at < 300_000,
      );
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

export const dueAt = (state: BreakerState): number | null =>
  state.kind === "open" ? state.until : state.kind === "halfOpen" ? state.leaseUntil : null;

export class Report implements fc.Command<Model, Real> {
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
      // A failure of one subject while others are served is not the service's, unless no service
      // was reached.
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
      // A trial can close it, and cannot keep it open any longer.
      expect(opened).toBe(false);
      expect(closed).toBe(!failed);
      if (failed) spoil(m, subject, isOwn);
      if (verdict === SUCCESS) serve(m, subject);
      if (closed) close(m);
      seen[closed ? "servedTrials" : "failedTrials"] += 1;
    } else {
      if (m.open && call.isProbe && !failed) seen.lateProbes += 1;
      // A late result, or one of a lost probe, changes no state.
      expect([opened, closed]).toEqual([false, false]);
      // Its failure counts for the subject all the same when only one opening or closing is
      // between.
      const overtaken = call.era === m.era - 1 && m.open !== (call.isProbe || call.isTrial);
      if (failed && overtaken) spoil(m, subject, isOwn || !m.open);
    }
    expect(Object.keys(r.state.subjects).toSorted()).toEqual([...m.bad.keys()].toSorted());
    expectSame(m, r);
  }
  toString = () => `report(${this.#which}, ${this.#verdict.kind})`;
}

export function open(m: Model, manually: boolean, maxTrials: number): void {
  Object.assign(m, {
    open: true,
    manually,
    probe: null,
    era: m.era + 1,
    maxTrials,
    tried: new Set(),
  });
}

export function close(m: Model): void {
  Object.assign(m, { open: false, manually: false, probe: null, failures: 0, era: m.era + 1 });
  Object.assign(m, { prober: null, waiting: new Map() });
}

/** Records the failure of a subject's call, and drops entries that are six hours old. */
function spoil(m: Model, subject: string, own: boolean): void {
  for (const [name, { at }] of m.bad) if (m.now - at >= 6 * 3_600_000) m.bad.delete(name);
  m.bad.set(subject, { at: m.now, own });
}

/** Records that a subject was served: the others fail on their own from here. */
function serve(m: Model, subject: string): void {
  m.bad.delete(subject);
  for (const [name, { at }] of m.bad) m.bad.set(name, { at, own: true });
}
