import { seededUniform } from "../../local/seeded-random.ts";

/** Every choice of one request, from the run's seed and the request's number. */
export class Random {
  private readonly uniform: () => number;

  constructor(seed: number, index: number) {
    this.uniform = seededUniform(Math.imul(seed, 2_654_435_761) ^ Math.imul(index + 1, 40_503));
  }

  is(share: number): boolean {
    return this.uniform() < share;
  }

  /** A whole number from 0 up to, not including, `end`. */
  below(end: number): number {
    return Math.floor(this.uniform() * end);
  }

  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  pick<T>(list: readonly T[]): T {
    const one = list[this.below(list.length)];
    if (one === undefined) throw new Error("nothing to choose from");
    return one;
  }

  pickOr<T>(list: readonly T[], otherwise: T): T {
    return list.length === 0 ? otherwise : this.pick(list);
  }
}
