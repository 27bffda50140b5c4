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

/**
 * What is known of a subject whose last call failed: when that was, and whether others were served
 * since.
 */
interface Bad {
  readonly at: number;
  readonly own: boolean;
}

/**
 * What must be so, kept in other words than the breaker's own: calls in hand, and a count of
 * failures in a row.
 */
export interface Model {
  now: number;
  /** Open by failures, by a probe or by hand. */
  open: boolean;
  manually: boolean;
  failures: number;
  era: number;
  calls: Call[];
  /** The newest probe that is out and whose lease has not run out. */
  probe: Call | null;
  bad: Map<string, Bad>;
  /** Who was let through out of turn since it opened. */
  tried: Set<string>;
  maxTrials: number;
  /** Whose probe failed last, and who was told to wait since. */
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

/** How often the histories went through what they are about. */
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
      // Closed never makes anybody wait, nor is anybody who has not failed sent away before so many
      // others.
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
      expect(m.manually).toBe(false);
      // Nor the same one's again while somebody waits who comes in time.
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
      // What one subject fails with while others are served is not the service's, unless nobody was
      // there.
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

/**
 * A subject's call failed: the last thing that is known of it, and the occasion to forget what is
 * six hours old.
 */
function spoil(m: Model, subject: string, own: boolean): void {
  for (const [name, { at }] of m.bad) if (m.now - at >= 6 * 3_600_000) m.bad.delete(name);
  m.bad.set(subject, { at: m.now, own });
}

/** A subject was served: whoever else still fails does so by itself. */
function serve(m: Model, subject: string): void {
  m.bad.delete(subject);
  for (const [name, { at }] of m.bad) m.bad.set(name, { at, own: true });
}
