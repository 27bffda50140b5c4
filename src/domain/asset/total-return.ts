import type { Bar } from "./bar.ts";
import type { CorporateAction } from "./corporate-action.ts";

/** Actions that fall between two bars that follow each other, and the closes on both sides. */
export interface ActionsBetween {
  /** The key (epoch ms) from which bars are not adjusted for them. */
  readonly at: number;
  readonly actions: readonly CorporateAction[];
  /** The close of the last bar before; null when there is none, so that nothing is adjusted. */
  readonly before: number | null;
  /**
   * The close of the first bar from `at` on; null before it exists, so that nothing has happened
   * yet.
   */
  readonly after: number | null;
}

/**
 * Prices of bars before `at` (epoch ms) are multiplied by `factor`. `split` is the part of it that
 * is a split which the stored bars still show: volumes are divided by it, because they count
 * shares.
 */
export interface AdjustmentStep {
  readonly at: number;
  readonly factor: number;
  readonly split: number;
  /** Number of actions in this step. */
  readonly actions: number;
}

/** Effect of a step on the bars before it. */
export type Factors = Pick<AdjustmentStep, "factor" | "split">;

const oldSharesForNew = (actions: readonly CorporateAction[]): number =>
  actions.reduce(
    (product, one) =>
      one.type === "split" ? (product * one.denominator) / one.numerator : product,
    1,
  );

/**
 * The factor of a recorded split on earlier prices, or 1 when the stored bars are adjusted for it
 * already, as those of vendors are. The split itself is known, so any ratio counts. The closes show
 * whether the bars are adjusted: they are nearer to the move with it or to the move without it
 * (`paid`: the dividends of the day as a share of the close before). For the smallest ratios a
 * day's own move can be taken for the split, or hide it; then the error is as small.
 */
function standingSplit(actions: readonly CorporateAction[], paid: number, move: number): number {
  const ratio = oldSharesForNew(actions);
  if (!(ratio - paid > 0)) return 1;
  const shown = Math.abs(move - Math.log(ratio - paid));
  // Dividends of the whole price leave no move without the split to compare with.
  const adjusted = paid < 1 ? Math.abs(move - Math.log(1 - paid)) : Number.POSITIVE_INFINITY;
  return shown < adjusted ? ratio : 1;
}

/**
 * The factors of the actions between two bars: s − ΣD / C, where C is the close before, D a
 * dividend and s the split's old shares for a new one where the stored bars still show it (else 1).
 * For one dividend that is 1 − D / C, the backward factor of CRSP and of Yahoo's adjusted closes.
 * Null when nothing is to be adjusted; a NaN `factor` when none exists, because the dividends are
 * not below the close.
 */
export function factorsOf({ actions, before, after }: Omit<ActionsBetween, "at">): Factors | null {
  if (before === null || after === null) return null;
  const dividends = actions.reduce(
    (sum, one) => (one.type === "dividend" ? sum + one.amount : sum),
    0,
  );
  const paid = dividends / before;
  const split = standingSplit(actions, paid, Math.log(after / before));
  const factor = split - paid;
  return { factor: factor > 0 ? factor : Number.NaN, split };
}

/** The whole factor of `factorsOf`. */
export const factorOf = (between: Omit<ActionsBetween, "at">): number | null =>
  factorsOf(between)?.factor ?? null;

export type StepsReading =
  | { readonly ok: true; readonly steps: readonly AdjustmentStep[] }
  /** No factor exists for the actions from this key (epoch ms) on. */
  | { readonly ok: false; readonly at: number };

/** The steps of a series' adjustment for splits and dividends, oldest first. */
export function adjustmentSteps(between: readonly ActionsBetween[]): StepsReading {
  const steps: AdjustmentStep[] = [];
  for (const { at, ...rest } of between.toSorted((a, b) => a.at - b.at)) {
    const factors = factorsOf(rest);
    if (factors === null) continue;
    if (Number.isNaN(factors.factor)) return { ok: false, at };
    if (factors.factor !== 1) steps.push({ at, ...factors, actions: rest.actions.length });
  }
  return { ok: true, steps };
}

/** The fields that a bar needs to be adjusted. */
type Priced = Pick<Bar, "timestamp" | "close"> &
  Partial<Pick<Bar, "open" | "high" | "low" | "volume">>;

/**
 * Adjusts bars that come oldest first: the prices of each are multiplied by the factors of all
 * steps after it, also of those beyond the last bar given.
 */
export function adjuster(steps: readonly AdjustmentStep[]): <T extends Priced>(bar: T) => T {
  const after: Factors[] = [{ factor: 1, split: 1 }];
  for (const step of steps.toReversed()) {
    const { factor, split } = after[0] ?? step;
    after.unshift({ factor: factor * step.factor, split: split * step.split });
  }
  let passed = 0;
  return (bar) => {
    while ((steps[passed]?.at ?? Number.POSITIVE_INFINITY) <= bar.timestamp) passed += 1;
    const { factor, split } = after[passed] ?? { factor: 1, split: 1 };
    return factor === 1 && split === 1 ? bar : scaled(bar, factor, split);
  };
}

/**
 * Bars (oldest first) on the scale of the newest: as they would be had every split been made, and
 * with the steps of dividends every dividend reinvested, before the first of them.
 */
export const adjusted = <T extends Priced>(
  bars: readonly T[],
  steps: readonly AdjustmentStep[],
): readonly T[] => (steps.length === 0 ? bars : bars.map(adjuster(steps)));

function scaled<T extends Priced>(bar: T, factor: number, split: number): T {
  const { open, high, low, volume } = bar;
  return {
    ...bar,
    close: bar.close * factor,
    ...(open == null ? {} : { open: open * factor }),
    ...(high == null ? {} : { high: high * factor }),
    ...(low == null ? {} : { low: low * factor }),
    ...(volume == null ? {} : { volume: volume / split }),
  };
}

/** Number of actions in the prices from an instant (epoch ms) on: those of the steps after it. */
export const actionsAfter = (steps: readonly AdjustmentStep[], timestamp: number): number =>
  steps.reduce((sum, { at, actions }) => (at > timestamp ? sum + actions : sum), 0);
