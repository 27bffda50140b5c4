import type { Bar } from "../asset/bar.ts";
import type { ActionType, CorporateAction } from "../asset/corporate-action.ts";
import { factorOf } from "../asset/total-return.ts";
import { quantile } from "../indicators/quantile.ts";
import { splitLike } from "./split-like.ts";

/**
 * A return so many times the usual size of the returns before it is an outlier. March 2020 stays
 * below.
 */
const OUTLIER_SCALES = 20;
/** A move of the size of a split is an outlier sooner. */
const SPLIT_SCALES = 8;
/** Below this a return is never called an outlier, however quiet the market was. */
const MIN_OUTLIER = 0.05;
/** Returns before it that define the usual size, and the minimum for it. */
const USUAL = 60;
const MIN_USUAL = 20;
/**
 * Fewer other returns than this are no yardstick; then a price that tripled, or fell to a third, is
 * an outlier.
 */
const MIN_NEIGHBOURS = 5;
const WITHOUT_YARDSTICK = Math.log(3);
/** A normal law's standard deviation is this many median absolute deviations. */
const MAD_TO_SD = 1.4826;

/** Max distance of the ratio of the closes from the split's, by the day's own move. */
const NEAR = 0.03;

/**
 * A bar whose close is far from the ones before. It is reported, never removed: real markets jump.
 */
export interface Outlier {
  readonly timestamp: number;
  /** Simple return from the close before, a fraction. */
  readonly return: number;
  /**
   * The return's size in units of the usual one; null without any movement before, or without
   * returns to compare with.
   */
  readonly scales: number | null;
  /**
   * The next close reverted at least half of the move: a bad tick more likely than news. Null for
   * the last bar.
   */
  readonly reverted: boolean | null;
  /**
   * New shares for one old, should it be a split (2, or 0.5 for a merger of two); null when it does
   * not resemble one.
   */
  readonly possibleSplit: number | null;
}

/** A jump that a dividend or a split explains, and no mistake. */
export interface ExplainedJump {
  readonly timestamp: number;
  /** Simple return from the close before, a fraction. */
  readonly return: number;
  readonly by: readonly ActionType[];
}

export interface Jumps {
  readonly outliers: readonly Outlier[];
  readonly explained: readonly ExplainedJump[];
}

/** A return with dividends and splits added back. */
interface Move {
  readonly index: number;
  /** After the actions and before them: logarithms of the closes' ratio. */
  readonly move: number;
  readonly raw: number;
  readonly happened: readonly CorporateAction[];
}

function movesOf(
  bars: readonly Bar[],
  actions: ReadonlyMap<number, readonly CorporateAction[]>,
): readonly Move[] {
  return bars.flatMap((bar, index) => {
    const before = bars[index - 1];
    if (before === undefined || !(before.close > 0) || !(bar.close > 0)) return [];
    const happened = actions.get(bar.timestamp) ?? [];
    const factor = factorOf({ actions: happened, before: before.close, after: bar.close }) || 1;
    const raw = Math.log(bar.close / before.close);
    return [{ index, raw, move: raw - Math.log(factor), happened }];
  });
}

/**
 * The usual size of a return: the median of the sound ones before it and, as long as those are too
 * few, of all that come after it as well, itself left out. Null where there is nothing to compare
 * with.
 */
function usualSize(before: readonly number[], after: readonly Move[]): number | null {
  if (before.length >= MIN_USUAL) return quantile(before.slice(-USUAL), 0.5);
  const beside = [...before, ...after.slice(0, USUAL).map(({ move }) => Math.abs(move))];
  return beside.length < MIN_NEIGHBOURS ? null : quantile(beside, 0.5);
}

/**
 * Closes that jump: |log return| above 20 robust standard deviations (1.4826 × median of |log
 * return|) of the up to 60 returns before it, or above 8 when the ratio is that of a split, and in
 * any case above 5 %. The first 20 returns are compared with those after them too; where not even
 * five others exist, a tripling or a third is a jump. Returns have dividends and splits added back
 * (`actions`, by the timestamp of the first bar without); a jump that exists only without them is
 * explained by them.
 */
export const jumpsOf = (
  bars: readonly Bar[],
  actions: ReadonlyMap<number, readonly CorporateAction[]> = new Map(),
): Jumps => {
  const sizes: number[] = [];
  const outliers: Outlier[] = [];
  const explained: ExplainedJump[] = [];
  const moves = movesOf(bars, actions);
  for (const [at, { index, move, raw, happened }] of moves.entries()) {
    const usual = usualSize(
      sizes,
      sizes.length < MIN_USUAL ? moves.slice(at + 1, at + 1 + USUAL) : [],
    );
    const timestamp = bars[index]?.timestamp ?? 0;
    const size = Math.abs(move);
    const possibleSplit = splitLike(Math.exp(move), NEAR);
    if (isJump(move, usual)) {
      const next = bars[index + 1];
      const back = next === undefined ? null : Math.log(next.close / (bars[index]?.close ?? 0));
      const scales = usual === null ? Number.NaN : size / (MAD_TO_SD * usual);
      outliers.push({
        timestamp,
        return: Math.exp(raw) - 1,
        scales: Number.isFinite(scales) ? scales : null,
        reverted:
          back === null ? null : Math.sign(back) === -Math.sign(move) && Math.abs(back) > size / 2,
        possibleSplit,
      });
      // A jump must not change the usual size.
      continue;
    }
    sizes.push(size);
    if (move !== raw && isJump(raw, usual)) {
      const by = [...new Set(happened.map(({ type }) => type))];
      explained.push({ timestamp, return: Math.exp(raw) - 1, by });
    }
  }
  return { outliers, explained };
};

function isJump(move: number, usual: number | null): boolean {
  const size = Math.abs(move);
  if (usual === null) return size >= WITHOUT_YARDSTICK;
  const scales = size / (MAD_TO_SD * usual);
  const enough = splitLike(Math.exp(move), NEAR) === null ? OUTLIER_SCALES : SPLIT_SCALES;
  return size > MIN_OUTLIER && scales > enough;
}

/**
 * Timestamps of bars that contradict themselves: a close outside its range, a price of zero or
 * less.
 */
export const impossibleOf = (bars: readonly Bar[]): number[] =>
  bars
    .filter(
      ({ high, low, close }) =>
        !(close > 0) || (high !== null && close > high) || (low !== null && close < low),
    )
    .map(({ timestamp }) => timestamp);

/**
 * Number of bars at the end with the very same close; 1 when the last differs from the one before.
 */
export const unchangedAtEnd = (bars: readonly Bar[]): number => {
  const last = bars.at(-1);
  if (last === undefined) return 0;
  const different = bars.findLastIndex(({ close }) => close !== last.close);
  return bars.length - 1 - different;
};
