/** A thing to time; it gives back something that depends on its work, so that none of it can be left out. */
export interface Contestant {
  readonly name: string;
  readonly run: () => unknown;
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** Milliseconds of computing by this process so far, collecting garbage and compiling included. */
const computed = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/**
 * Milliseconds of computing per run of each contestant, the median over `rounds`: what others do on the machine is not
 * counted. They run in turn, round by round, so that a machine that slows down slows all of them; `repeats` runs make one
 * measurement, which should take a few milliseconds.
 */
export function medians(
  contestants: readonly Contestant[],
  { rounds = 15, repeats = 1, warmUps = 3 } = {},
): Map<string, number> {
  const times = new Map<string, number[]>(contestants.map(({ name }) => [name, []]));
  let sink: unknown;
  for (let round = -warmUps; round < rounds; round++) {
    for (const { name, run } of contestants) {
      const before = computed();
      for (let n = 0; n < repeats; n++) sink = run();
      if (round >= 0) times.get(name)?.push((computed() - before) / repeats);
    }
  }
  if (sink === undefined) throw new Error("a contestant did nothing");
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
