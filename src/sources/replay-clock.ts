import { REPLAY_END, REPLAY_START } from "../domain/market/demo-catalogue.ts";

export interface ClockReading {
  readonly marketNow: number;
  readonly wallAt: number;
}

/** Time without a tick (a laptop asleep, a restart) does not count beyond this. */
const MAX_STEP_MS = 5_000;

/**
 * The replay's "now" after a tick at `wall`, given the reading of the tick before. Market time runs
 * `speed` times as fast as real time, never backwards, and stops at the last bar. All instants are
 * epoch milliseconds.
 */
export function replayNow(last: ClockReading | null, wall: number, speed: number): number {
  if (last === null) return REPLAY_START;
  const passed = Math.min(Math.max(0, wall - last.wallAt), MAX_STEP_MS);
  return Math.min(REPLAY_END, last.marketNow + passed * speed);
}
