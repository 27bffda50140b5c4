/** So often at most a backtest says how far it has come. */
const PROGRESS_STEPS = 4;
/**
 * Whatever else this isolate has to do waits for so many steps at most, or for so long where the
 * clock can be seen to go.
 */
const STEPS_PER_SLICE = 8;
const MAX_SLICE_MS = 25;

/**
 * What long work is given to be a good neighbour: how far it has come is told, and others get their
 * turn.
 */
export interface LongWork {
  readonly progress: (share: number) => Promise<void>;
  /** Lets whatever waits in this isolate run first. */
  readonly pause: () => Promise<void>;
  /** Epoch ms; it may stand still while nothing but computing goes on. */
  readonly now: () => number;
}

/**
 * Works to the end with pauses for others, and says at each quarter of the way or so how far it has
 * come.
 */
export async function reportProgress<T>(
  work: Generator<number, T>,
  { progress, pause, now }: LongWork,
): Promise<T> {
  let reported = 0;
  let steps = 0;
  let rested = now();
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
    steps += 1;
    if (steps >= STEPS_PER_SLICE || now() - rested >= MAX_SLICE_MS) {
      await pause();
      steps = 0;
      rested = now();
    }
    if (step.value < reported + 1 / PROGRESS_STEPS) continue;
    reported = step.value;
    await progress(reported);
  }
}
