/** A thing to time; it gives back something that depends on its work, so that none of it can be left out. */
export interface Contestant {
  readonly name: string;
  readonly run: () => unknown;
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/**
 * Milliseconds of computing by this thread so far, its share of collecting garbage included. Not those of the engine's
 * helpers: on a busy machine they mostly wait for each other.
 */
const computed = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};

/** The clock behind `computed` ticks every few milliseconds, so a measurement goes on for longer. */
const LEAST_MS = 50;

/** Milliseconds of computing per run, over as many runs as it takes. */
function measured(run: () => unknown): number {
  const before = computed();
  let runs = 0;
  let spent = 0;
  while (spent < LEAST_MS) {
    if (run() === undefined) throw new Error("a contestant did nothing");
    runs += 1;
    spent = computed() - before;
  }
  return spent / runs;
}

/**
 * Milliseconds of computing per run of each contestant, the median over `rounds`: what else goes on on the machine is not
 * counted. They run in turn, round by round, so that a machine that slows down slows all of them.
 */
export function medians(
  contestants: readonly Contestant[],
  { rounds = 15, warmUps = 2 } = {},
): Map<string, number> {
  const times = new Map<string, number[]>(contestants.map(({ name }) => [name, []]));
  for (let round = -warmUps; round < rounds; round++) {
    for (const { name, run } of contestants) {
      const time = measured(run);
      if (round >= 0) times.get(name)?.push(time);
    }
  }
  return new Map([...times].map(([name, all]) => [name, median(all)]));
}

/** A table with the first contestant, which is ours, as the measure of the others: 2× took twice as long. */
export function table(
  title: string,
  unit: string,
  factor: number,
  found: ReadonlyMap<string, number>,
): string[] {
  const [own = Number.NaN] = found.values();
  return [
    `| ${title} | ${unit} | times ours |`,
    "|---|---:|---:|",
    ...[...found].map(
      ([name, ms], index) =>
        `| ${name} | ${(ms * factor).toPrecision(3)} | ${index === 0 ? "" : `${(ms / own).toPrecision(2)}×`} |`,
    ),
    "",
  ];
}
