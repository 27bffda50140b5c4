/** So often at most a backtest says how far it has come. */
const PROGRESS_STEPS = 4;

/** Works to the end, and says at each quarter of the way or so how far it has come. */
export async function tellingHowFar<T>(
  work: Generator<number, T>,
  progress: (share: number) => Promise<void>,
): Promise<T> {
  let told = 0;
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
    if (step.value < told + 1 / PROGRESS_STEPS) continue;
    told = step.value;
    await progress(told);
  }
}
