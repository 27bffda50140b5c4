import type { Subjects } from "./subjects.ts";
import type { Trouble, Verdict } from "./verdict.ts";

/** A breaker that a person holds open without an end is asked about again after this long. */
export const MANUAL_CHECK_SECONDS = 300;

export type OpenReason = "failures" | "probe" | "manual";

/**
 * What every situation carries along. `epoch` counts openings and closings: a call's permit tells
 * which one it began in.
 */
interface Common {
  readonly epoch: number;
  /** When each kind of trouble was last told, epoch ms. */
  readonly told: Readonly<Partial<Record<Trouble, number>>>;
  /** Whose last call failed. */
  readonly subjects: Subjects;
}

/** What one that lets nobody through but a few carries along. */
interface Shut {
  readonly failures: number;
  readonly failedProbes: number;
  readonly since: number;
  /**
   * How many subjects without a failure may ask since it opened, and those that did: the lease of
   * each, and whose it is.
   */
  readonly trials: number;
  readonly tried: Readonly<Record<string, string>>;
  /** Who was told to wait, and when, epoch ms. */
  readonly waiting: Readonly<Record<string, number>>;
  /** Who had the last probe. */
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

/** The leave to make a call, and in the end what the call's result is worth. */
export interface Permit {
  readonly epoch: number;
  /** The call's lease, when it is a probe or a trial of an open breaker. */
  readonly lease: string | null;
}

export type BreakerCommand =
  /**
   * May I call? `lease` names this call should it become a probe or a trial. `subject` is what the
   * question is about: an asset, an event type. A service can fail about one subject and serve all
   * others.
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

/** What happened inside a breaker. Only some of it is told to the world, see `told.ts`. */
export type BreakerFact =
  | {
      readonly type: "failed";
      readonly subject: string;
      readonly at: number;
      /** Whether it is one more in the service's row. */
      readonly counts: boolean;
      /** Whether others are served meanwhile. */
      readonly own: boolean;
      /** Until when the subject is left alone, epoch ms; 0 when it is not. */
      readonly heldUntil: number;
    }
  /**
   * A subject was served: the service's row has ended, and what others still fail with is their
   * own.
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
  /** `subject` is who was served; null when a person closed it. */
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

/** Whether a call may be made. */
export type Answer =
  | {
      readonly kind: "go";
      readonly permit: Permit;
      /**
       * This one call may be made though the breaker is open. Otherwise the answer holds for
       * everybody.
       */
      readonly open: boolean;
      /**
       * A success of a subject that is not in `held` would change nothing and need not be reported.
       */
      readonly atRest: boolean;
      /**
       * Subjects whose last call failed, and until when each is left alone, epoch ms. Empty for one
       * call only.
       */
      readonly held: Readonly<Record<string, number>>;
      /** The one who asked fails while others are served. */
      readonly own: boolean;
    }
  | {
      readonly kind: "wait";
      readonly epoch: number;
      readonly seconds: number;
      /** Whoever asks now gets this answer. */
      readonly shared: boolean;
    };
