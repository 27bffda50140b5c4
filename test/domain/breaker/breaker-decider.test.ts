import { describe, expect, it } from "vitest";
import {
  BREAKER_POLICY,
  type BreakerCommand,
  type BreakerFact,
  type BreakerState,
  initialBreaker,
  type Permit,
} from "../../../src/domain/breaker/breaker.ts";
import { decide, evolve } from "../../../src/domain/breaker/decide.ts";
import type { Verdict } from "../../../src/domain/breaker/verdict.ts";
import { type Decider, specification } from "../../kit/given.ts";

/** A command, and how many seconds after the start it comes. */
type Timed = BreakerCommand & { readonly second: number };

const START = Date.UTC(2030, 0, 1);
const at = (second: number): number => START + second * 1000;

const breaker: Decider<BreakerState, Timed, BreakerFact> = {
  initial: initialBreaker,
  evolve,
  decide: (state, { second, ...command }) => decide(state, command, at(second), BREAKER_POLICY),
};
const { given } = specification(breaker);

const UP: Verdict = { kind: "answered" };
const DOWN: Verdict = { kind: "unavailable", detail: "503", code: "source_Unavailable" };
const FAILED: BreakerFact = { type: "failed" };
const TOLD: BreakerFact = { type: "troubled", trouble: "IntegrationError", verdict: DOWN, at: START };

const report = (second: number, verdict: Verdict, permit: Partial<Permit> = {}): Timed => ({
  type: "report",
  second,
  verdict,
  permit: { epoch: 0, lease: null, ...permit },
});
const acquire = (second: number, lease: string): Timed => ({ type: "acquire", second, lease });

const fourFailures = [TOLD, FAILED, FAILED, FAILED, FAILED];
const open: BreakerFact = {
  type: "opened",
  reason: "failures",
  failures: 5,
  failedProbes: 0,
  at: START,
  until: at(30),
  detail: "503",
};
const probing: BreakerFact = { type: "leased", lease: "probe", until: at(60) };
const probe = { epoch: 1, lease: "probe" };

describe("a breaker", () => {
  it("opens with the fifth failure in a row, for thirty seconds", () => {
    given(...fourFailures)
      .when(report(1, DOWN))
      .then(FAILED, { type: "opened", reason: "failures", failures: 5, until: at(31) });
  });

  it("counts anew after a success", () => {
    given(...fourFailures)
      .when(report(1, UP), report(2, DOWN))
      .then(FAILED);
  });

  it("gives the leave to probe once, when the wait is over", () => {
    given(...fourFailures, FAILED, open)
      .when(acquire(29, "early"))
      .thenNothing();
    given(...fourFailures, FAILED, open)
      .when(acquire(30, "probe"))
      .then({ type: "leased", lease: "probe", until: at(60) });
    given(...fourFailures, FAILED, open, probing)
      .when(acquire(31, "second"))
      .thenNothing();
    given(...fourFailures, FAILED, open, probing)
      .when(acquire(60, "after the lost one"))
      .then({ type: "leased", lease: "after the lost one" });
  });

  it("closes with the probe's success and opens for twice as long with its failure", () => {
    given(open, probing)
      .when(report(31, UP, probe))
      .then({ type: "closed", reason: "probe" });
    given(TOLD, open, probing)
      .when(report(31, DOWN, probe))
      .then({ type: "opened", reason: "probe", failedProbes: 1, until: at(91) });
  });

  it("does not listen to a call of before it opened, nor to a lease that has run out", () => {
    given(TOLD, open, probing).when(report(31, UP)).thenNothing();
    given(TOLD, open, probing)
      .when(report(61, UP, probe))
      .thenNothing();
    given(TOLD, open, probing, { ...probing, lease: "second" })
      .when(report(31, DOWN, probe))
      .thenNothing();
  });

  it("is held open by hand until it is reset", () => {
    given()
      .when({ type: "trip", second: 0, reason: "maintenance", until: null }, acquire(1e6, "probe"))
      .thenNothing();
    given()
      .when(
        { type: "trip", second: 0, reason: "maintenance", until: null },
        { type: "reset", second: 9, reason: "done" },
      )
      .thenState((state) => expect(state).toMatchObject({ kind: "closed", failures: 0, epoch: 2 }));
    given().when({ type: "reset", second: 1, reason: "nothing to do" }).thenNothing();
  });
});
