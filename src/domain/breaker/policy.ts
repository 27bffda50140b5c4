/** The numbers of a breaker, as data. */
export interface BreakerPolicy {
  /** So many failures in a row open it. */
  readonly failuresToOpen: number;
  /** How long it stays open before a probe may go. */
  readonly openSeconds: number;
  /** Each probe that fails doubles the wait, up to this. */
  readonly longestOpenSeconds: number;
  /**
   * A probe's lease; longer than any call's timeout, so that only the lease of a lost probe runs
   * out.
   */
  readonly probeLeaseSeconds: number;
  /** Troubles of one kind are told at most once in this time. */
  readonly troubleEverySeconds: number;
  /**
   * So many subjects that have not failed may still ask, once each, after it opened by failures in
   * a row.
   */
  readonly trials: number;
  /** And so many after each probe that failed. */
  readonly trialsAfterProbe: number;
  /**
   * So many subjects that wait for an open breaker are remembered, so that the probe goes round.
   */
  readonly waitersKept: number;
}

/**
 * A longer and longer wait spares both sides: while a service is out for an hour each probe costs
 * one call, and what waits for it asks once per wait.
 */
export const BREAKER_POLICY: BreakerPolicy = {
  failuresToOpen: 5,
  openSeconds: 30,
  longestOpenSeconds: 300,
  probeLeaseSeconds: 30,
  troubleEverySeconds: 60,
  // With the failures that opened it a dozen questions about different subjects: when none of them
  // is served it is the service.
  trials: 8,
  trialsAfterProbe: 1,
  waitersKept: 8,
};
