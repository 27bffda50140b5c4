import type { Subjects } from "./subjects.ts";
import type { Trouble, Verdict } from "./verdict.ts";

/** A breaker that a person holds open without an end is asked about again after this long. */
export const MANUAL_CHECK_SECONDS = 300;

export type OpenReason = "failures" | "probe" | "manual";

/**
 * Fields of every state. `epoch` counts openings and closings: a call's permit names the one it
 * began in.
 */
interface Common {
  readonly epoch: number;
  /** Last report of each kind of trouble, epoch ms. */
  readonly told: Readonly<Partial<Record<Trouble, number>>>;
  /** Subjects whose last call failed. */
  readonly subjects: Subjects;
}

/** Fields of the states that let only a few calls through. */
interface Shut {
  readonly failures: number;
  readonly failedProbes: number;
  readonly since: number;
  /**
   * Number of subjects without a failure that may ask since it opened, and those that did: the
   * subject of each lease.
   */
  readonly trials: number;
  readonly tried: Readonly<Record<string, string>>;
  /** Subjects that wait, and since when, epoch ms. */
  readonly waiting: Readonly<Record<string, number>>;
  /** Subject of the last probe. */
  readonly prober: string | null;
}

export type BreakerState = Common &
  (
    | { readonly kind: "closed"; readonly failures: number }
    | (Shut & {
        readonly kind: "open";
        readonly reason: OpenReason;
        /** When a probe may go, epoch ms; null when only a person closes it. */
        readonly until: number | null;
      })
    | (Shut & { readonly kind: "halfOpen"; readonly lease: string; readonly leaseUntil: number })
  );

export const initialBreaker = (): BreakerState => ({
  kind: "closed",
  epoch: 0,
  failures: 0,
  told: {},
  subjects: {},
});

/** Permission for one call, which also scopes its result. */
export interface Permit {
  readonly epoch: number;
  /** The call's lease, when it is a probe or a trial of an open breaker. */
  readonly lease: string | null;
}

export type BreakerCommand =
  /**
   * Requests a permit. `lease` names this call should it become a probe or a trial. `subject` is
   * the topic of the call: an asset, an event type. A service can fail about one subject and serve
   * all others.
   */
  | { readonly type: "acquire"; readonly lease: string; readonly subject: string }
  | {
      readonly type: "report";
      readonly permit: Permit;
      readonly subject: string;
      readonly verdict: Verdict;
    }
  | { readonly type: "trip"; readonly reason: string; readonly until: number | null }
  | { readonly type: "reset"; readonly reason: string };

/** A fact inside a breaker. Only some of them become events, see `told.ts`. */
export type BreakerFact =
  | {
      readonly type: "failed";
      readonly subject: string;
      readonly at: number;
      /** True if it adds to the service's failures in a row. */
      readonly counts: boolean;
      /** True if others are served meanwhile. */
      readonly own: boolean;
      /** Until when the subject is left alone, epoch ms; 0 when it is not. */
      readonly heldUntil: number;
    }
  /**
   * A subject was served: the service's failures in a row have ended, and later failures of others
   * are their own.
   */
  | { readonly type: "recovered"; readonly subject: string }
  | {
      readonly type: "leased";
      readonly lease: string;
      readonly until: number;
      readonly subject: string;
      readonly at: number;
    }
  | { readonly type: "tried"; readonly lease: string; readonly subject: string }
  | { readonly type: "waited"; readonly subject: string; readonly at: number }
  | {
      readonly type: "opened";
      readonly reason: OpenReason;
      readonly failures: number;
      readonly failedProbes: number;
      readonly at: number;
      readonly until: number | null;
      readonly trials: number;
      readonly detail: string;
    }
  /** `subject` is the one that was served; null when a person closed it. */
  | {
      readonly type: "closed";
      readonly reason: "probe" | "manual";
      readonly detail: string;
      readonly subject: string | null;
    }
  | {
      readonly type: "troubled";
      readonly trouble: Trouble;
      readonly verdict: Exclude<Verdict, { readonly kind: "answered" }>;
      readonly at: number;
    };

/** Answer to `acquire`. */
export type Answer =
  | {
      readonly kind: "go";
      readonly permit: Permit;
      /**
       * True if this one call may be made though the breaker is open. Otherwise the answer holds
       * for every caller.
       */
      readonly open: boolean;
      /**
       * True if a success of a subject that is not in `held` would change nothing and need not be
       * reported.
       */
      readonly atRest: boolean;
      /**
       * Subjects whose last call failed, and until when each must wait, epoch ms. Empty for one
       * call only.
       */
      readonly held: Readonly<Record<string, number>>;
      /** True if the subject fails while others are served. */
      readonly own: boolean;
    }
  | {
      readonly kind: "wait";
      readonly epoch: number;
      readonly seconds: number;
      /** True if every caller gets this answer now. */
      readonly shared: boolean;
    };
