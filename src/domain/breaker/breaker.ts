import type { Trouble, Verdict } from "./verdict.ts";

/** The numbers of a breaker, as data. */
export interface BreakerPolicy {
  /** So many failures in a row open it. */
  readonly failuresToOpen: number;
  /** How long it stays open before a probe may go. */
  readonly openSeconds: number;
  /** Each probe that fails doubles the wait, up to this. */
  readonly longestOpenSeconds: number;
  /** A probe's lease; longer than any call's timeout, so that only the lease of a lost probe runs out. */
  readonly probeLeaseSeconds: number;
  /** Troubles of one kind are told at most once in this time. */
  readonly troubleEverySeconds: number;
}

/**
 * A longer and longer wait spares both sides: while a service is out for an hour each probe costs one call, and what
 * waits for it asks once per wait.
 */
export const BREAKER_POLICY: BreakerPolicy = {
  failuresToOpen: 5,
  openSeconds: 30,
  longestOpenSeconds: 300,
  probeLeaseSeconds: 30,
  troubleEverySeconds: 60,
};

/** A breaker that a person holds open without an end is asked about again after this long. */
export const MANUAL_CHECK_SECONDS = 300;

export type OpenReason = "failures" | "probe" | "manual";

/** What every situation carries along. `epoch` counts openings and closings: a call's permit tells which one it began in. */
interface Common {
  readonly epoch: number;
  /** When each kind of trouble was last told, epoch ms. */
  readonly told: Readonly<Partial<Record<Trouble, number>>>;
}

export type BreakerState = Common &
  (
    | { readonly kind: "closed"; readonly failures: number }
    | {
        readonly kind: "open";
        readonly reason: OpenReason;
        readonly failures: number;
        readonly failedProbes: number;
        readonly since: number;
        /** When a probe may go, epoch ms; null when only a person closes it. */
        readonly until: number | null;
      }
    | {
        readonly kind: "halfOpen";
        readonly failures: number;
        readonly failedProbes: number;
        readonly since: number;
        readonly lease: string;
        readonly leaseUntil: number;
      }
  );

export const initialBreaker = (): BreakerState => ({ kind: "closed", epoch: 0, failures: 0, told: {} });

/** The leave to make a call, and in the end what the call's result is worth. */
export interface Permit {
  readonly epoch: number;
  /** The probe's lease, when this call is the probe. */
  readonly lease: string | null;
}

export type BreakerCommand =
  /** May I call? `lease` is the name of the probe's lease should this call become the probe. */
  | { readonly type: "acquire"; readonly lease: string }
  | { readonly type: "report"; readonly permit: Permit; readonly verdict: Verdict }
  | { readonly type: "trip"; readonly reason: string; readonly until: number | null }
  | { readonly type: "reset"; readonly reason: string };

/** What happened inside a breaker. Only some of it is told to the world, see `told.ts`. */
export type BreakerFact =
  | { readonly type: "failed" }
  | { readonly type: "recovered" }
  | { readonly type: "leased"; readonly lease: string; readonly until: number }
  | {
      readonly type: "opened";
      readonly reason: OpenReason;
      readonly failures: number;
      readonly failedProbes: number;
      readonly at: number;
      readonly until: number | null;
      readonly detail: string;
    }
  | { readonly type: "closed"; readonly reason: "probe" | "manual"; readonly detail: string }
  | {
      readonly type: "troubled";
      readonly trouble: Trouble;
      readonly verdict: Exclude<Verdict, { readonly kind: "answered" }>;
      readonly at: number;
    };

/** Whether calls may be made. `atRest` tells that a success would change nothing and need not be reported. */
export type Answer =
  | { readonly kind: "go"; readonly permit: Permit; readonly atRest: boolean }
  | { readonly kind: "wait"; readonly seconds: number };
