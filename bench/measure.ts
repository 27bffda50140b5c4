/**
 * A thing to time; it gives back something that depends on its work, so that none of it can be left
 * out.
 */
export interface Contestant {
  readonly name: string;
  readonly run: () => unknown;
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/**
 * Milliseconds of computing by this thread so far, its share of collecting garbage included. Not
 * those of the engine's helpers: on a busy machine they mostly wait for each other.
 */
const computed = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};

/**
 * The clock behind `computed` ticks every few milliseconds, so a measurement goes on for longer.
 */
const MIN_MS = 50;

/** Milliseconds per run. */
export interface Timing {
  /**
   * Of computing, the median over all rounds: other work on the machine is not counted, but it
   * slows tasks on the same core.
   */
  readonly median: number;
  /** Of the clock, of the one run that was disturbed least. */
  readonly fastest: number;
}

/**
 * Milliseconds of computing per run, over as many runs as it takes, and those by the clock of the
 * fastest.
 */
function measured(run: () => unknown): { readonly mean: number; readonly fastest: number } {
  const before = computed();
  let fastest = Number.POSITIVE_INFINITY;
  let runs = 0;
  let spent = 0;
  while (spent < MIN_MS) {
    const start = performance.now();
    if (run() === undefined) throw new Error("a contestant did nothing");
    fastest = Math.min(fastest, performance.now() - start);
    runs += 1;
    spent = computed() - before;
  }
  return { mean: spent / runs, fastest };
}

/** They run alternately, round by round, so that a machine that slows down slows all of them. */
export function timings(
  contestants: readonly Contestant[],
  { rounds = 15, warmUps = 2 } = {},
): Map<string, Timing> {
  const all = contestants.map(({ name, run }) => ({
    name,
    run,
    means: [] as number[],
    fastest: [] as number[],
  }));
  for (let round = -warmUps; round < rounds; round++) {
    for (const { run, means, fastest } of all) {
      const found = measured(run);
      if (round < 0) continue;
      means.push(found.mean);
      fastest.push(found.fastest);
    }
  }
  return new Map(
    all.map(({ name, means, fastest }) => [
      name,
      { median: median(means), fastest: Math.min(...fastest) },
    ]),
  );
}

/**
 * A table with the first contestant, which is ours, as the measure of the others: 2× took twice as
 * long, by the median.
 */
export function table(
  title: string,
  unit: string,
  factor: number,
  found: ReadonlyMap<string, Timing>,
): string[] {
  const [own] = found.values();
  return [
    `| ${title} | ${unit} | undisturbed | times ours |`,
    "|---|---:|---:|---:|",
    ...[...found].map(
      ([name, timing], index) =>
        `| ${name} | ${show(timing, factor)} | ${index === 0 ? "" : `${(timing.median / (own?.median ?? Number.NaN)).toPrecision(2)}×`} |`,
    ),
    "",
  ];
}

/** Both times of a timing, as two cells of a table. */
export const show = ({ median, fastest }: Timing, factor = 1): string =>
  [median, fastest].map((ms) => (ms * factor).toPrecision(3)).join(" | ");
