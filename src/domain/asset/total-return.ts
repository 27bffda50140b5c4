import type { Bar } from "./bar.ts";
import type { CorporateAction } from "./corporate-action.ts";

/** Actions that fall between two bars that follow each other, and the closes on both sides. */
export interface ActionsBetween {
  /** The key (epoch ms) from which bars are not adjusted for them. */
  readonly at: number;
  readonly actions: readonly CorporateAction[];
  /** The close of the last bar before; null when there is none, so that nothing is to be adjusted. */
  readonly before: number | null;
  /** The close of the first bar from `at` on; null while it has not come, so that nothing has happened yet. */
  readonly after: number | null;
}

/** Bars before `at` (epoch ms) are multiplied by `factor`. */
export interface AdjustmentStep {
  readonly at: number;
  readonly factor: number;
  /** How many actions it stands for. */
  readonly actions: number;
}

/** A smaller split cannot be told from a day's own move: stored bars are then taken as adjusted for it already. */
const SMALLEST_STEP = Math.log(1.25);

/**
 * By what a split in the series multiplies earlier prices, or 1 when the stored bars are adjusted for it already, as those
 * of vendors are. Which of the two it is the closes tell: they move by the split, or they do not.
 */
function standingSplit(actions: readonly CorporateAction[], before: number, after: number): number {
  const ratio = actions.reduce(
    (product, one) => (one.type === "split" ? (product * one.denominator) / one.numerator : product),
    1,
  );
  const size = Math.log(ratio);
  const move = Math.log(after / before);
  return Math.abs(size) >= SMALLEST_STEP && Math.abs(move - size) < Math.abs(move) ? ratio : 1;
}

/**
 * The factor of the actions between two bars: s − ΣD / C, where C is the close before, D a dividend and s the split's
 * old shares for a new one where the stored bars still show it (else 1). For one dividend that is 1 − D / C, the backward
 * factor of CRSP and of Yahoo's adjusted closes. Null when nothing is to be adjusted; NaN when no factor exists, because
 * the dividends are not below the close.
 */
export function factorOf({ actions, before, after }: Omit<ActionsBetween, "at">): number | null {
  if (before === null || after === null) return null;
  const dividends = actions.reduce((sum, one) => (one.type === "dividend" ? sum + one.amount : sum), 0);
  const factor = standingSplit(actions, before, after) - dividends / before;
  return factor > 0 ? factor : Number.NaN;
}

export type StepsReading =
  | { readonly ok: true; readonly steps: readonly AdjustmentStep[] }
  /** No factor exists for the actions from this key (epoch ms) on. */
  | { readonly ok: false; readonly at: number };

/** The steps of a series' adjustment, oldest first. */
export function adjustmentSteps(between: readonly ActionsBetween[]): StepsReading {
  const steps: AdjustmentStep[] = [];
  for (const { at, ...rest } of between.toSorted((a, b) => a.at - b.at)) {
    const factor = factorOf(rest);
    if (factor === null) continue;
    if (Number.isNaN(factor)) return { ok: false, at };
    if (factor !== 1) steps.push({ at, factor, actions: rest.actions.length });
  }
  return { ok: true, steps };
}

/** The least of a bar that can be adjusted. */
type Priced = Pick<Bar, "timestamp" | "close"> & Partial<Pick<Bar, "open" | "high" | "low">>;

/**
 * Bars (oldest first) as they would be had every dividend been reinvested where it was paid: each price is multiplied by
 * the factors of all steps after its bar, also of those beyond the last bar given. Volumes stay.
 */
export function adjusted<T extends Priced>(
  bars: readonly T[],
  steps: readonly AdjustmentStep[],
): readonly T[] {
  if (steps.length === 0) return bars;
  const result: T[] = [];
  let left = steps.length;
  let factor = 1;
  for (const bar of bars.toReversed()) {
    for (let step = steps[left - 1]; step !== undefined && step.at > bar.timestamp; step = steps[left - 1]) {
      factor *= step.factor;
      left -= 1;
    }
    result.push(factor === 1 ? bar : scaled(bar, factor));
  }
  return result.toReversed();
}

function scaled<T extends Priced>(bar: T, factor: number): T {
  const { open, high, low } = bar;
  return {
    ...bar,
    close: bar.close * factor,
    ...(open == null ? {} : { open: open * factor }),
    ...(high == null ? {} : { high: high * factor }),
    ...(low == null ? {} : { low: low * factor }),
  };
}

/** How many actions took part in the prices from an instant (epoch ms) on: those of the steps after it. */
export const actionsAfter = (steps: readonly AdjustmentStep[], timestamp: number): number =>
  steps.reduce((sum, { at, actions }) => (at > timestamp ? sum + actions : sum), 0);
