import {
  type Answer,
  type BreakerCommand,
  type BreakerFact,
  type BreakerPolicy,
  type BreakerState,
  MANUAL_CHECK_SECONDS,
  type OpenReason,
  type Permit,
} from "./breaker.ts";
import { TROUBLE_OF, type Verdict, weigh } from "./verdict.ts";

/** What a command makes of a breaker. `now` is epoch ms; the state after it is the facts, evolved. */
export function decide(
  state: BreakerState,
  command: BreakerCommand,
  now: number,
  policy: BreakerPolicy,
): BreakerFact[] {
  switch (command.type) {
    case "acquire":
      return mayProbe(state, now)
        ? [{ type: "leased", lease: command.lease, until: now + policy.probeLeaseSeconds * 1000 }]
        : [];
    case "report":
      return [
        ...troubles(state, command.verdict, now, policy),
        ...consequences(state, command.permit, command.verdict, now, policy),
      ];
    case "trip":
      return [opened(state, "manual", 0, now, command.until, command.reason)];
    case "reset":
      return state.kind === "closed" && state.failures === 0
        ? []
        : [{ type: "closed", reason: "manual", detail: command.reason }];
  }
}

export function evolve(state: BreakerState, fact: BreakerFact): BreakerState {
  const { epoch, told } = state;
  switch (fact.type) {
    case "failed":
      return state.kind === "closed" ? { ...state, failures: state.failures + 1 } : state;
    case "recovered":
      return state.kind === "closed" ? { ...state, failures: 0 } : state;
    case "leased":
      return state.kind === "closed"
        ? state
        : {
            kind: "halfOpen",
            epoch,
            told,
            failures: state.failures,
            failedProbes: state.failedProbes,
            since: state.since,
            lease: fact.lease,
            leaseUntil: fact.until,
          };
    case "opened": {
      const { reason, failures, failedProbes, at, until } = fact;
      const since = state.kind === "closed" ? at : state.since;
      return { kind: "open", epoch: epoch + 1, told, reason, failures, failedProbes, since, until };
    }
    case "closed":
      return { kind: "closed", epoch: epoch + 1, told, failures: 0 };
    case "troubled":
      return { ...state, told: { ...told, [fact.trouble]: fact.at } };
  }
}

/** Whether calls may be made as the breaker stands; `lease` names the probe that the one who asks was just given. */
export function answerOf(state: BreakerState, lease: string | null, now: number): Answer {
  switch (state.kind) {
    case "closed":
      return { kind: "go", permit: { epoch: state.epoch, lease: null }, atRest: state.failures === 0 };
    case "open":
      return {
        kind: "wait",
        seconds: state.until === null ? MANUAL_CHECK_SECONDS : secondsUntil(state.until, now),
      };
    case "halfOpen":
      return lease === state.lease
        ? { kind: "go", permit: { epoch: state.epoch, lease }, atRest: false }
        : { kind: "wait", seconds: secondsUntil(state.leaseUntil, now) };
  }
}

const secondsUntil = (instant: number, now: number): number => Math.max(1, Math.ceil((instant - now) / 1000));

/** The wait is over, or the probe before was lost: its lease has run out and nobody told how it went. */
function mayProbe(state: BreakerState, now: number): boolean {
  if (state.kind === "open") return state.until !== null && state.until <= now;
  return state.kind === "halfOpen" && state.leaseUntil <= now;
}

/** What a result changes. One of a call that began before the last opening or closing, or of an old lease, nothing. */
function consequences(
  state: BreakerState,
  permit: Permit,
  verdict: Verdict,
  now: number,
  policy: BreakerPolicy,
): BreakerFact[] {
  if (permit.epoch !== state.epoch) return [];
  const weight = weigh(verdict);
  if (state.kind === "closed") {
    if (weight === "neither") return [];
    if (weight === "success") return state.failures === 0 ? [] : [{ type: "recovered" }];
    const failures = state.failures + 1;
    if (failures < policy.failuresToOpen) return [{ type: "failed" }];
    const detail = `${failures} failures in a row, the last: ${detailOf(verdict)}`;
    const until = now + policy.openSeconds * 1000;
    return [{ type: "failed" }, opened({ ...state, failures }, "failures", 0, now, until, detail)];
  }
  if (state.kind === "open" || permit.lease !== state.lease || state.leaseUntil <= now) return [];
  if (weight !== "failure") return [{ type: "closed", reason: "probe", detail: detailOf(verdict) }];
  const failedProbes = state.failedProbes + 1;
  const seconds = Math.min(policy.longestOpenSeconds, policy.openSeconds * 2 ** Math.min(failedProbes, 30));
  const detail = `the probe failed: ${detailOf(verdict)}`;
  return [opened(state, "probe", failedProbes, now, now + seconds * 1000, detail)];
}

const opened = (
  { failures }: BreakerState,
  reason: OpenReason,
  failedProbes: number,
  at: number,
  until: number | null,
  detail: string,
): BreakerFact => ({ type: "opened", reason, failures, failedProbes, at, until, detail });

const detailOf = (verdict: Verdict): string =>
  verdict.kind === "answered" ? "the service answered" : verdict.detail;

/** Trouble is told at most once per kind and minute: an outage with 100,000 assets is not 100,000 events. */
function troubles(state: BreakerState, verdict: Verdict, at: number, policy: BreakerPolicy): BreakerFact[] {
  if (verdict.kind === "answered") return [];
  const trouble = TROUBLE_OF[verdict.kind];
  const last = state.told[trouble];
  const held = last !== undefined && at - last < policy.troubleEverySeconds * 1000;
  return held ? [] : [{ type: "troubled", trouble, verdict, at }];
}
