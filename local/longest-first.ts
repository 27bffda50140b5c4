import type { TestSpecification } from "vitest/node";
import { BaseSequencer } from "vitest/node";

/**
 * Files that take long though they are short, the longest first. Begun late, one of them would run
 * alone at the end.
 */
const LONG = [
  "scheduler-model",
  "seeds/from-",
  "crash-points/walk-",
  "chaos.test",
  "sequence-crash",
  "processes-crash",
  "poisoned-questions",
  "reconcile-",
  "races",
  "breaker-flow",
  "sweep-bounds",
  "talib",
];

const rank = ({ moduleId }: TestSpecification): number => {
  const at = LONG.findIndex((name) => moduleId.includes(name));
  return at === -1 ? LONG.length : at;
};

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}
