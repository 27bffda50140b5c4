import { describe, expect, it } from "vitest";
import {
  type BreakerCommand,
  type BreakerFact,
  type BreakerState,
  initialBreaker,
  type Permit,
} from "../../../src/domain/breaker/breaker.ts";
import { decide, evolve } from "../../../src/domain/breaker/decide.ts";
import { BREAKER_POLICY } from "../../../src/domain/breaker/policy.ts";
import type { Verdict } from "../../../src/domain/breaker/verdict.ts";
import { type Decider, specification } from "../../kit/given.ts";

/** A command, and its time in seconds after the start. */
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
const DOWN: Verdict = { kind: "unavailable", detail: "503", code: "source.unavailable" };
const failedOf = (subject: string): BreakerFact => ({
  type: "failed",
  subject,
  at: START,
  counts: true,
  own: false,
  heldUntil: 0,
});
const FAILED = failedOf("AAPL");
const REPORTED: BreakerFact = {
  type: "troubled",
  trouble: "IntegrationError",
  verdict: DOWN,
  at: START,
};

const report = (
  second: number,
  verdict: Verdict,
  permit: Partial<Permit> = {},
  subject = "AAPL",
): Timed => ({
  type: "report",
  second,
  verdict,
  subject,
  permit: { epoch: 0, lease: null, ...permit },
});
const acquire = (second: number, lease: string, subject = "AAPL"): Timed => ({
  type: "acquire",
  second,
  lease,
  subject,
});

const fourFailures = [REPORTED, FAILED, FAILED, FAILED, FAILED];
const open: BreakerFact = {
  type: "opened",
  reason: "failures",
  failures: 5,
  failedProbes: 0,
  at: START,
  until: at(30),
  trials: 2,
  detail: "503",
};
const leasedTo = (subject: string, second: number): BreakerFact => ({
  type: "leased",
  lease: "probe",
  until: at(second + 30),
  subject,
  at: at(second),
});
const probing = leasedTo("AAPL", 30);
const probe = { epoch: 1, lease: "probe" };

describe("a breaker", () => {
  it("opens with the fifth failure in a row, for thirty seconds", () => {
    given(...fourFailures)
      .when(report(1, DOWN))
      .then({ type: "failed" }, { type: "opened", reason: "failures", failures: 5, until: at(31) });
  });

  it("restarts the count after a success", () => {
    given(...fourFailures)
      .when(report(1, UP), report(2, DOWN))
      .then({ type: "failed" });
  });

  it("gives the leave to probe once, when the wait is over", () => {
    given(...fourFailures, FAILED, open)
      .when(acquire(29, "early"))
      .then({ type: "waited", subject: "AAPL" });
    given(...fourFailures, FAILED, open)
      .when(acquire(30, "probe"))
      .then({ type: "leased", lease: "probe", until: at(60) });
    given(...fourFailures, FAILED, open, probing)
      .when(acquire(31, "second"))
      .then({ type: "waited", subject: "AAPL" });
    given(...fourFailures, FAILED, open, probing)
      .when(acquire(60, "after the lost one"))
      .then({ type: "leased", lease: "after the lost one" });
  });

  it("closes with the probe's success and opens for twice as long with its failure", () => {
    given(open, probing)
      .when(report(31, UP, probe))
      .then({ type: "closed", reason: "probe" });
    given(REPORTED, open, probing)
      .when(report(31, DOWN, probe))
      .then(
        { type: "failed", counts: false },
        { type: "opened", reason: "probe", failedProbes: 1, until: at(91) },
      );
  });

  it("ignores a call from before it opened, and a lease that has expired", () => {
    given(REPORTED, open, probing).when(report(31, UP)).thenNothing();
    given(REPORTED, open, probing)
      .when(report(61, UP, probe))
      .thenNothing();
    given(REPORTED, open, probing, { ...leasedTo("AAPL", 30), lease: "second" } as BreakerFact)
      .when(report(31, DOWN, probe))
      .thenNothing();
  });

  it("is held open manually until it is reset", () => {
    given()
      .when({ type: "trip", second: 0, reason: "maintenance", until: null }, acquire(1e6, "probe"))
      .then({ type: "waited" });
    given()
      .when(
        { type: "trip", second: 0, reason: "maintenance", until: null },
        { type: "reset", second: 9, reason: "done" },
      )
      .thenState((state) => expect(state).toMatchObject({ kind: "closed", failures: 0, epoch: 2 }));
    given().when({ type: "reset", second: 1, reason: "nothing to do" }).thenNothing();
  });
});

describe("a breaker of a service that may fail for some subjects only", () => {
  const five = [REPORTED, ...["A", "B", "C", "D", "E"].map(failedOf)];
  const trial = { epoch: 1, lease: "trial" };

  it("lets subjects that have not failed call once each while it is open, up to a limit", () => {
    given(...five, open)
      .when(acquire(1, "again", "A"))
      .then({ type: "waited", subject: "A" });
    given(...five, open)
      .when(acquire(1, "trial", "F"))
      .then({ type: "tried", lease: "trial", subject: "F" });
    given(...five, open)
      .when(acquire(1, "trial", "F"), acquire(1, "second", "F"))
      .then({ type: "waited", subject: "F" });
    given(...five, open)
      .when(acquire(1, "trial", "F"), acquire(1, "second", "G"), acquire(1, "third", "H"))
      .then({ type: "waited", subject: "H" });
  });

  it("closes when one of them is served, and stays closed though the others go on failing", () => {
    given(...five, open)
      .when(acquire(1, "trial", "F"), report(1, UP, trial, "F"))
      .then({ type: "closed", reason: "probe", subject: "F" });
    const failAgain = Array.from({ length: 9 }, (_, n) => report(3 + n, DOWN, { epoch: 2 }, "A"));
    given(...five, open)
      .when(acquire(1, "trial", "F"), report(1, UP, trial, "F"), ...failAgain)
      .thenState((state) => {
        expect(state).toMatchObject({ kind: "closed", failures: 0 });
        // It waits on its own instead: its tenth failure has the wait of a sixth in a row.
        expect(state.subjects["A"]).toMatchObject({
          failures: 10,
          own: true,
          heldUntil: at(11 + 300),
        });
        expect(state.subjects["B"]).toMatchObject({ own: true, heldUntil: 0 });
      });
  });

  it("stays open when one of them fails too, and does not let that one call again out of turn", () => {
    given(...five, open)
      .when(acquire(1, "trial", "F"), report(1, DOWN, trial, "F"))
      .then({ type: "failed", subject: "F", counts: false });
    given(...five, open, { type: "tried", lease: "trial", subject: "F" })
      .when(report(1, DOWN, trial, "F"), acquire(2, "again", "F"))
      .then({ type: "waited", subject: "F" });
  });

  it("assigns a late failure to its subject", () => {
    given(...five, open)
      .when(report(1, DOWN, { epoch: 0 }, "F"), acquire(2, "trial", "F"))
      .then({ type: "waited", subject: "F" });
  });

  it("counts a broken connection for the service, whatever the subject", () => {
    const unreached: Verdict = { ...DOWN, reached: false };
    const own: BreakerFact = { ...failedOf("A"), counts: false, own: true } as BreakerFact;
    given(REPORTED, own)
      .when(report(1, DOWN, {}, "A"))
      .then({ type: "failed", counts: false });
    given(REPORTED, own)
      .when(report(1, unreached, {}, "A"))
      .then({ type: "failed", counts: true });
  });

  it("gives the probe to a subject without one before the subject of the last, as long as the former comes", () => {
    const failedProbe: BreakerFact = {
      ...open,
      reason: "probe",
      failedProbes: 1,
      until: at(91),
      trials: 0,
    };
    const before = [
      ...five,
      open,
      leasedTo("A", 30),
      { ...failedOf("A"), counts: false },
      failedProbe,
    ];
    given(...(before as BreakerFact[]))
      .when(acquire(60, "b", "B"), acquire(91, "a", "A"))
      .then({ type: "waited", subject: "A" });
    given(...(before as BreakerFact[]))
      .when(acquire(60, "b", "B"), acquire(91, "a", "A"), acquire(92, "b", "B"))
      .then({ type: "leased", subject: "B" });
    // B has missed its turn: sixty seconds, as long as the breaker was open, are over.
    given(...(before as BreakerFact[]))
      .when(acquire(60, "b", "B"), acquire(151, "a", "A"))
      .then({ type: "leased", subject: "A" });
    given(...(before as BreakerFact[]))
      .when(acquire(91, "a", "A"))
      .then({ type: "leased", subject: "A" });
  });
});
