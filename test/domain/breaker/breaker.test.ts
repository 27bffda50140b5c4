import { describe, expect, it } from "vitest";
import {
  type Answer,
  type BreakerCommand,
  type BreakerState,
  initialBreaker,
  type Permit,
} from "../../../src/domain/breaker/breaker.ts";
import { answerOf, decide, evolve } from "../../../src/domain/breaker/decide.ts";
import { BREAKER_POLICY } from "../../../src/domain/breaker/policy.ts";
import { readService, sourceService, webhookService } from "../../../src/domain/breaker/service.ts";
import { readBreakerState } from "../../../src/domain/breaker/stored-state.ts";
import { eventsOf } from "../../../src/domain/breaker/told.ts";
import {
  type Verdict,
  verdictOfPost,
  verdictOfSource,
  weigh,
} from "../../../src/domain/breaker/verdict.ts";
import type { NewEvent } from "../../../src/domain/events/envelope.ts";
import { SOURCE_REFUSALS } from "../../../src/sources/price-source.ts";

const DOWN: Verdict = {
  kind: "unavailable",
  detail: "the source answered 503",
  code: "source.unavailable",
};
const UP: Verdict = { kind: "answered" };
const LIMITED: Verdict = { kind: "rateLimited", detail: "429", retryAfterSeconds: 60 };

/** One breaker and a clock that the test sets. */
class Bench {
  state: BreakerState = initialBreaker();
  now = Date.UTC(2030, 0, 1);
  events: NewEvent[] = [];
  #leases = 0;

  run(command: BreakerCommand): void {
    for (const fact of decide(this.state, command, this.now, BREAKER_POLICY)) {
      this.state = evolve(this.state, fact);
      this.events.push(...eventsOf("source:demo", fact, null));
    }
  }

  acquire(subject = "AAPL"): Answer {
    this.#leases += 1;
    const lease = `lease-${this.#leases}`;
    this.run({ type: "acquire", lease, subject });
    return answerOf(this.state, { lease, subject }, this.now, BREAKER_POLICY);
  }

  permit(): Permit {
    const answer = this.acquire();
    if (answer.kind !== "go") throw new Error(`no leave for ${answer.seconds} s`);
    return answer.permit;
  }

  report(verdict: Verdict, permit = this.permit()): void {
    this.run({ type: "report", permit, subject: "AAPL", verdict });
  }

  pass(seconds: number): void {
    this.now += seconds * 1000;
  }

  types(): string[] {
    return this.events.map(({ eventType }) => eventType);
  }
}

function opened(): Bench {
  const bench = new Bench();
  for (let failure = 0; failure < 5; failure++) bench.report(DOWN);
  return bench;
}

describe("a breaker", () => {
  it("opens at the fifth failure in a row, for thirty seconds", () => {
    const bench = new Bench();
    for (let failure = 1; failure <= 4; failure++) {
      bench.report(DOWN);
      expect(bench.acquire()).toMatchObject({ kind: "go", atRest: false });
    }
    bench.report(DOWN);
    expect(bench.acquire()).toMatchObject({ kind: "wait", seconds: 30 });
    expect(bench.events.at(-1)).toMatchObject({
      eventType: "CircuitOpened",
      payload: {
        service: "source:demo",
        reason: "failures",
        failures: 5,
        openUntil: "2030-01-01T00:00:30.000Z",
      },
    });
  });

  it("restarts the count after a success, and not after a rate limit", () => {
    const bench = new Bench();
    for (let failure = 0; failure < 4; failure++) bench.report(DOWN);
    bench.report(UP);
    for (let failure = 0; failure < 4; failure++) bench.report(DOWN);
    bench.report(LIMITED);
    expect(bench.state.kind).toBe("closed");
    bench.report(DOWN);
    expect(bench.state.kind).toBe("open");
  });

  it("gives one probe when the wait is over, and closes when it succeeds", () => {
    const bench = opened();
    bench.pass(29);
    expect(bench.acquire()).toMatchObject({ kind: "wait", seconds: 1 });
    bench.pass(1);
    const probe = bench.permit();
    // The result of the probe is known long before its lease is over.
    expect(bench.acquire()).toMatchObject({ kind: "wait", seconds: 5 });
    bench.report(UP, probe);
    expect(bench.acquire()).toMatchObject({ kind: "go", atRest: true });
    expect(bench.types()).toEqual(["IntegrationError", "CircuitOpened", "CircuitClosed"]);
  });

  it("opens again when the probe fails, for longer each time up to five minutes", () => {
    const bench = opened();
    const waits: number[] = [];
    for (let probe = 0; probe < 6; probe++) {
      const answer = bench.acquire();
      if (answer.kind !== "wait") throw new Error("it should be open");
      waits.push(answer.seconds);
      bench.pass(answer.seconds);
      bench.report(DOWN);
    }
    expect(waits).toEqual([30, 60, 120, 240, 300, 300]);
    bench.pass(300);
    bench.report(UP);
    for (let failure = 0; failure < 5; failure++) bench.report(DOWN);
    expect(bench.acquire()).toMatchObject({ kind: "wait", seconds: 30 });
  });

  it("frees the lease of a lost probe, and ignores its late result", () => {
    const bench = opened();
    bench.pass(30);
    const lost = bench.permit();
    bench.pass(BREAKER_POLICY.probeLeaseSeconds);
    bench.report(UP, lost);
    expect(bench.state.kind).toBe("halfOpen");
    const next = bench.permit();
    bench.report(UP, lost);
    expect(bench.state.kind).toBe("halfOpen");
    bench.report(UP, next);
    expect(bench.state.kind).toBe("closed");
  });

  it("is not closed by a call that began before it opened, nor opened by one that began before it closed", () => {
    const bench = new Bench();
    const early = bench.permit();
    for (let failure = 0; failure < 5; failure++) bench.report(DOWN);
    bench.report(UP, early);
    expect(bench.state.kind).toBe("open");
    bench.pass(30);
    bench.report(UP);
    for (let failure = 0; failure < 9; failure++) bench.report(DOWN, early);
    expect(bench.acquire()).toMatchObject({ kind: "go", atRest: true });
  });

  it("held open manually stays open until it is reset, whatever a probe finds", () => {
    const bench = opened();
    bench.pass(30);
    const probe = bench.permit();
    bench.run({ type: "trip", reason: "maintenance", until: null });
    bench.report(UP, probe);
    bench.pass(86_400 * 30);
    expect(bench.acquire().kind).toBe("wait");
    expect(bench.events.at(-1)).toMatchObject({ payload: { reason: "manual", openUntil: null } });
    bench.run({ type: "reset", reason: "done" });
    expect(bench.acquire()).toMatchObject({ kind: "go", atRest: true });
    expect(bench.events.at(-1)).toMatchObject({
      eventType: "CircuitClosed",
      payload: { reason: "manual" },
    });
  });

  it("held open manually for a time lets a probe go after it", () => {
    const bench = new Bench();
    bench.run({ type: "trip", reason: "maintenance", until: bench.now + 3_600_000 });
    expect(bench.acquire()).toMatchObject({ kind: "wait", seconds: 3600 });
    bench.pass(3600);
    bench.report(UP);
    expect(bench.state.kind).toBe("closed");
  });

  it("reports trouble of a kind once a minute, however often it comes", () => {
    const bench = new Bench();
    const timeout: Verdict = { kind: "timeout", detail: "no answer", timeoutMs: 10_000 };
    for (let second = 0; second < 180; second++) {
      bench.report(LIMITED);
      bench.report(timeout, { epoch: -1, lease: null });
      bench.pass(1);
    }
    const count = (type: string) => bench.types().filter((one) => one === type).length;
    expect([count("RateLimitExceeded"), count("ExternalServiceTimeout")]).toEqual([3, 3]);
    expect(bench.state.kind).toBe("closed");
  });
});

describe("the failed subjects of a breaker", () => {
  const failedOn = (state: BreakerState, subject: string, at: number): BreakerState =>
    evolve(state, { type: "failed", subject, at, counts: false, own: true, heldUntil: 0 });

  it("is bounded: the last sixty-four, and none for longer than six hours", () => {
    let state = initialBreaker();
    for (let n = 0; n < 500; n++) state = failedOn(state, `S${n}`, n);
    expect(Object.keys(state.subjects)).toHaveLength(64);
    expect(state.subjects["S436"]).toBeDefined();
    expect(state.subjects["S435"]).toBeUndefined();
    expect(Object.keys(failedOn(state, "LATE", 6 * 3_600_000 + 500).subjects)).toEqual(["LATE"]);
  });

  it("are empty in a state that an older version wrote, which continues unchanged", () => {
    const now = Date.UTC(2030, 0, 1);
    const open = {
      kind: "open",
      epoch: 3,
      told: {},
      reason: "failures",
      failures: 5,
      failedProbes: 0,
    };
    const old = readBreakerState(JSON.stringify({ ...open, since: now, until: now + 30_000 }));
    expect(
      decide(old, { type: "acquire", lease: "x", subject: "AAPL" }, now, BREAKER_POLICY),
    ).toMatchObject([{ type: "waited" }]);
    const [leased] = decide(
      old,
      { type: "acquire", lease: "x", subject: "AAPL" },
      now + 30_000,
      BREAKER_POLICY,
    );
    expect(leased).toMatchObject({ type: "leased", subject: "AAPL" });
    const closed = readBreakerState('{"kind":"closed","epoch":2,"told":{},"failures":4}');
    const report = {
      type: "report",
      permit: { epoch: 2, lease: null },
      subject: "AAPL",
      verdict: DOWN,
    } as const;
    expect(decide(closed, report, now, BREAKER_POLICY).at(-1)).toMatchObject({ type: "opened" });
  });
});

describe("the verdict of a call on its service", () => {
  it.each([
    ["NoData", "success"],
    ["Stale", "success"],
    ["RateLimited", "neither"],
    ["NotConfigured", "success"],
    ["GeoBlocked", "success"],
    ["MalformedPayload", "failure"],
    ["Timeout", "failure"],
    ["Unavailable", "failure"],
    ["bars", "success"],
  ])("%s of a price source is a %s", (outcome, weight) => {
    expect(weigh(verdictOfSource({ outcome, detail: "" }, 10_000))).toBe(weight);
  });

  it("covers every refusal of a price source", () => {
    for (const outcome of SOURCE_REFUSALS) {
      const verdict = verdictOfSource({ outcome, detail: "d" }, 10_000);
      // Trouble of the asset says nothing about the service.
      const isAnswer = ["NoData", "UnknownSymbol", "Delisted", "Stale"].includes(outcome);
      expect(verdict.kind === "answered").toBe(isAnswer);
    }
  });

  it.each([
    [204, "success"],
    [302, "success"],
    [404, "success"],
    [410, "success"],
    [429, "neither"],
    [500, "failure"],
    [503, "failure"],
    [null, "failure"],
  ])("%s of a receiver is a %s", (status, weight) => {
    const verdict = verdictOfPost(
      { status, error: null, timedOut: false, retryAfterSeconds: 0 },
      15_000,
    );
    expect(weigh(verdict)).toBe(weight);
  });
});

describe("the name of a service", () => {
  it("parses its name, and returns null for an unknown one", () => {
    expect(readService(sourceService("demo"))).toEqual({ kind: "source", source: "demo" });
    expect(readService(webhookService("e:1"))).toEqual({ kind: "webhook", endpointId: "e:1" });
    expect(readService("alerts")).toEqual({ kind: "alerts" });
    for (const name of ["", "demo", "source:", "webhook", "constructor"])
      expect(readService(name)).toBeNull();
  });
});
