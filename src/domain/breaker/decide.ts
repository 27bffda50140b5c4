import {
  type Answer,
  type BreakerCommand,
  type BreakerFact,
  type BreakerState,
  MANUAL_CHECK_SECONDS,
  type OpenReason,
} from "./breaker.ts";
import type { BreakerPolicy } from "./policy.ts";
import { heldUntil, markOf, openMs, withFailure, withProbe, withSuccess } from "./subjects.ts";
import { isNoted, isShared, mayProbe, mayTry, probeFrom, turnUntil } from "./turn.ts";
import { concernsService, TROUBLE_OF, type Verdict, weigh } from "./verdict.ts";

type Report = Extract<BreakerCommand, { readonly type: "report" }>;
type Shut = Exclude<BreakerState, { readonly kind: "closed" }>;

/** Applies a command to a breaker. `now` is epoch ms; the state after it is the facts, evolved. */
export function decide(
  state: BreakerState,
  command: BreakerCommand,
  now: number,
  policy: BreakerPolicy,
): BreakerFact[] {
  switch (command.type) {
    case "acquire":
      return state.kind === "closed"
        ? []
        : asked(state, command.lease, command.subject, now, policy);
    case "report":
      return [
        ...troubles(state, command.verdict, now, policy),
        ...(state.kind === "closed"
          ? whileClosed(state, command, now, policy)
          : whileShut(state, command, now, policy)),
      ];
    case "trip":
      return [
        {
          type: "opened",
          reason: "manual",
          failures: state.failures,
          failedProbes: 0,
          at: now,
          until: command.until,
          trials: 0,
          detail: command.reason,
        },
      ];
    case "reset":
      return state.kind === "closed" &&
        state.failures === 0 &&
        Object.keys(state.subjects).length === 0
        ? []
        : [{ type: "closed", reason: "manual", detail: command.reason, subject: null }];
  }
}

/** Answers a request to an open breaker: with the probe, a trial, or the time to wait. */
function asked(
  state: Shut,
  lease: string,
  subject: string,
  at: number,
  policy: BreakerPolicy,
): BreakerFact[] {
  if (mayProbe(state, subject, at, policy))
    return [{ type: "leased", lease, until: at + policy.probeLeaseSeconds * 1000, subject, at }];
  if (mayTry(state, subject)) return [{ type: "tried", lease, subject }];
  return isNoted(state, subject, policy) ? [{ type: "waited", subject, at }] : [];
}

export function evolve(state: BreakerState, fact: BreakerFact): BreakerState {
  const { epoch, told } = state;
  switch (fact.type) {
    case "failed": {
      const subjects = withFailure(state.subjects, fact);
      return { ...state, subjects, failures: state.failures + (fact.counts ? 1 : 0) };
    }
    case "recovered":
      return { ...state, subjects: withSuccess(state.subjects, fact.subject), failures: 0 };
    case "leased": {
      if (state.kind === "closed") return state;
      const { failures, failedProbes, since, trials, tried } = state;
      const subjects = withProbe(state.subjects, fact.subject, fact.at);
      const waiting = without(state.waiting, fact.subject);
      const shut = { failures, failedProbes, since, trials, tried, waiting, prober: fact.subject };
      const { lease, until: leaseUntil } = fact;
      return { kind: "halfOpen", epoch, told, subjects, ...shut, lease, leaseUntil };
    }
    case "tried":
      if (state.kind === "closed") return state;
      return {
        ...state,
        tried: { ...state.tried, [fact.lease]: fact.subject },
        waiting: without(state.waiting, fact.subject),
      };
    case "waited":
      if (state.kind === "closed") return state;
      return { ...state, waiting: { ...state.waiting, [fact.subject]: fact.at } };
    case "opened": {
      const { reason, failures, failedProbes, at, until, trials } = fact;
      const isShut = state.kind !== "closed";
      const { subjects } = state;
      return {
        ...{ kind: "open", epoch: epoch + 1, told, subjects, reason, failures, failedProbes },
        ...{ since: isShut ? state.since : at, until, trials, tried: {} },
        ...{ waiting: isShut ? state.waiting : {}, prober: isShut ? state.prober : null },
      };
    }
    case "closed": {
      // A manual close clears everything. A rate limit as answer to a probe serves no subject, so
      // it says nothing about who failed.
      const kept = fact.reason === "manual" ? {} : state.subjects;
      const subjects = fact.subject === null ? kept : withSuccess(kept, fact.subject);
      return { kind: "closed", epoch: epoch + 1, told, failures: 0, subjects };
    }
    case "troubled":
      return { ...state, told: { ...told, [fact.trouble]: fact.at } };
  }
}

const without = <T>(
  record: Readonly<Record<string, T>>,
  name: string,
): Readonly<Record<string, T>> =>
  Object.fromEntries(Object.entries(record).filter(([key]) => key !== name));

/**
 * The answer to the caller, given the breaker's state after the request; `lease` names a probe or
 * trial that it was granted just now.
 */
export function answerOf(
  state: BreakerState,
  { lease, subject }: { readonly lease: string | null; readonly subject: string },
  now: number,
  policy: BreakerPolicy,
): Answer {
  const { epoch } = state;
  if (state.kind === "closed") {
    const held = Object.entries(state.subjects).map(
      ([name, mark]) => [name, mark.heldUntil] as const,
    );
    const atRest = isAtRest(state);
    const permit = { epoch, lease: null };
    return { kind: "go", permit, open: false, atRest, held: Object.fromEntries(held), own: false };
  }
  if (lease !== null && isLeaseOf(state, lease)) {
    const own = markOf(state.subjects, subject)?.own ?? false;
    return { kind: "go", permit: { epoch, lease }, open: true, atRest: false, held: {}, own };
  }
  return {
    kind: "wait",
    epoch,
    seconds: waitOf(state, now, policy),
    shared: isShared(state, now, policy),
  };
}

/** True if the success of a subject that never failed would change nothing. */
const isAtRest = ({ failures, subjects }: BreakerState): boolean =>
  failures === 0 && Object.values(subjects).every(({ own }) => own);

const isLeaseOf = (state: Shut, lease: string): boolean =>
  (state.kind === "halfOpen" && state.lease === lease) || Object.hasOwn(state.tried, lease);

/**
 * While another subject's probe is in flight, its outcome is known soon; so is whether the next
 * subject in turn asks.
 */
const SOON_SECONDS = 5;

function waitOf(state: Shut, now: number, policy: BreakerPolicy): number {
  const from = probeFrom(state);
  if (from === null) return MANUAL_CHECK_SECONDS;
  const seconds = secondsUntil(now < from ? from : turnUntil(state, policy), now);
  return state.kind === "open" && now < from ? seconds : Math.min(SOON_SECONDS, seconds);
}

const secondsUntil = (instant: number, now: number): number =>
  Math.max(1, Math.ceil((instant - now) / 1000));

/** Applies a result while the breaker is closed. */
function whileClosed(
  state: BreakerState,
  { permit, subject, verdict }: Report,
  at: number,
  policy: BreakerPolicy,
): BreakerFact[] {
  const mark = markOf(state.subjects, subject);
  const weight = weigh(verdict);
  if (permit.epoch !== state.epoch) {
    // A trial of the open breaker that ended after another subject was served: the service's state
    // stays, the failure is the subject's own.
    const overtaken =
      permit.epoch === state.epoch - 1 && permit.lease !== null && weight === "failure";
    return overtaken ? [failedOf(state, subject, at, policy, { own: true })] : [];
  }
  if (weight === "neither") return [];
  if (weight === "success")
    return isAtRest(state) && mark === null ? [] : [{ type: "recovered", subject }];
  // A failure while others are served says nothing about the service, unless no service was
  // reached.
  const counts = mark?.own !== true || concernsService(verdict);
  const failed = failedOf(state, subject, at, policy, { counts });
  const failures = state.failures + 1;
  if (!counts || failures < policy.failuresToOpen) return [failed];
  const detail = `${failures} failures in a row, the last: ${detailOf(verdict)}`;
  const until = at + policy.openSeconds * 1000;
  const { trials } = policy;
  return [
    failed,
    { type: "opened", reason: "failures", failures, failedProbes: 0, at, until, trials, detail },
  ];
}

/**
 * Applies a result while the breaker is open: of the probe, of a trial, and of calls that began
 * before it opened.
 */
function whileShut(
  state: Shut,
  { permit, subject, verdict }: Report,
  at: number,
  policy: BreakerPolicy,
): BreakerFact[] {
  const weight = weigh(verdict);
  const failed = failedOf(state, subject, at, policy);
  if (permit.epoch !== state.epoch) {
    // A call from before it opened changes no state, but its failure identifies the subject.
    const overtaken =
      permit.epoch === state.epoch - 1 && permit.lease === null && weight === "failure";
    return overtaken ? [failed] : [];
  }
  const { lease } = permit;
  const isProbe = state.kind === "halfOpen" && lease === state.lease && state.leaseUntil > at;
  if (!isProbe && !(lease !== null && Object.hasOwn(state.tried, lease))) return [];
  if (weight !== "failure") {
    const served = weight === "success" ? subject : null;
    return [{ type: "closed", reason: "probe", detail: detailOf(verdict), subject: served }];
  }
  if (!isProbe) return [failed];
  const { failures } = state;
  const failedProbes = state.failedProbes + 1;
  const detail = `the probe failed: ${detailOf(verdict)}`;
  const until = at + openMs(failedProbes, policy);
  const trials = policy.trialsAfterProbe;
  const reason: OpenReason = "probe";
  return [failed, { type: "opened", reason, failures, failedProbes, at, until, trials, detail }];
}

const failedOf = (
  { subjects }: BreakerState,
  subject: string,
  at: number,
  policy: BreakerPolicy,
  { counts = false, own = markOf(subjects, subject)?.own ?? false } = {},
): BreakerFact => ({
  type: "failed",
  subject,
  at,
  counts,
  own,
  heldUntil: heldUntil(subjects, subject, at, policy),
});

const detailOf = (verdict: Verdict): string =>
  verdict.kind === "answered" ? "the service answered" : verdict.detail;

/**
 * Trouble is reported at most once per kind and minute: an outage with 100,000 assets is not
 * 100,000 events.
 */
function troubles(
  state: BreakerState,
  verdict: Verdict,
  at: number,
  policy: BreakerPolicy,
): BreakerFact[] {
  if (verdict.kind === "answered") return [];
  const trouble = TROUBLE_OF[verdict.kind];
  const last = state.told[trouble];
  const held = last !== undefined && at - last < policy.troubleEverySeconds * 1000;
  return held ? [] : [{ type: "troubled", trouble, verdict, at }];
}
