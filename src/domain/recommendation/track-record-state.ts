import type { Action } from "./recommendation.ts";

/** Number of recommendations of an action, and of those whose event happened. */
export interface ActionCount {
  n: number;
  hits: number;
}

/**
 * Counts of outcomes, over all samples and by action. `up` and `down` count the sign of the forward
 * return, `quiet` those within the expected move, so a quiet sample is usually also up or down.
 */
export interface TrackRecordCounts {
  n: number;
  up: number;
  down: number;
  quiet: number;
  actions: Record<Action, ActionCount>;
}

/**
 * A recommendation whose horizon has not passed: its close, and the logarithmic move that was usual
 * then.
 */
export interface PendingRecommendation {
  action: Action;
  close: number;
  expectedMove: number;
  dueAtBar: number;
}

/** The running score of the rules on one asset at one resolution; constant size, plain JSON. */
export interface TrackRecordState {
  pending: PendingRecommendation | null;
  counts: TrackRecordCounts;
}

export const noCounts = (): TrackRecordCounts => ({
  n: 0,
  up: 0,
  down: 0,
  quiet: 0,
  actions: { BUY: { n: 0, hits: 0 }, HOLD: { n: 0, hits: 0 }, SELL: { n: 0, hits: 0 } },
});

export const initialTrackRecord = (): TrackRecordState => ({ pending: null, counts: noCounts() });

/**
 * The logarithmic move that is usual over `horizon` bars, from annualised volatility: volatility /
 * √periodsPerYear × √horizon (a random walk's standard deviation).
 */
export const expectedMove = (volatility: number, periodsPerYear: number, horizon: number): number =>
  (volatility / Math.sqrt(periodsPerYear)) * Math.sqrt(horizon);

/**
 * The actions that a logarithmic move over the horizon proves right: BUY when it is > 0, SELL when
 * it is < 0, HOLD when it stayed within the expected move of that time (null: unknown). The one
 * definition of a hit.
 */
export const happenedIn = (
  move: number,
  usual: number | null,
): Readonly<Record<Action, boolean>> => ({
  BUY: move > 0,
  HOLD: usual !== null && Math.abs(move) <= usual,
  SELL: move < 0,
});

/** Adds one evaluated recommendation to counts, in place. */
export const countCall = (
  counts: TrackRecordCounts,
  action: Action,
  happened: Readonly<Record<Action, boolean>>,
): void => {
  counts.n += 1;
  if (happened.BUY) counts.up += 1;
  if (happened.SELL) counts.down += 1;
  if (happened.HOLD) counts.quiet += 1;
  counts.actions[action].n += 1;
  if (happened[action]) counts.actions[action].hits += 1;
};

/**
 * Counts the pending recommendation if bar number `bar` (1 for the first) completes its horizon;
 * see `happenedIn`.
 */
export const settle = (state: TrackRecordState, bar: number, close: number): void => {
  const recommendation = state.pending;
  if (recommendation === null || bar < recommendation.dueAtBar) return;
  state.pending = null;
  if (!(close > 0)) return; // A price of zero or less has no return.
  const move = Math.log(close / recommendation.close);
  countCall(state.counts, recommendation.action, happenedIn(move, recommendation.expectedMove));
};

/**
 * Stores a recommendation to be counted later. Recommendations never overlap, so that the samples
 * are independent of each other.
 */
export const note = (state: TrackRecordState, recommendation: PendingRecommendation): void => {
  if (state.pending === null && recommendation.close > 0) state.pending = { ...recommendation };
};
