import { ACTIONS, type Action } from "../recommendation/recommendation.ts";
import { type Interval, wilson, Z95 } from "./wilson.ts";

/** Calibration bins are tenths of reported confidence. */
export const BINS = 10;

/**
 * Below this many evaluated recommendations no statistic is reported: it would be noise that
 * resembles knowledge.
 */
export const MIN_SAMPLES = 10;

/**
 * Sums over the evaluated recommendations (hit or miss) of one action in one bin; o is 1 for a hit,
 * c confidence, b base rate.
 */
export interface BinSums {
  readonly action: Action;
  readonly bin: number;
  readonly n: number;
  readonly hits: number;
  readonly independent: number;
  readonly confidence: number;
  /** Σ(c − o)², Σ(b − o)², and the square of their difference per recommendation. */
  readonly brier: number;
  readonly baseBrier: number;
  readonly differenceSquared: number;
}

/**
 * A number and its sample. The interval is of 95 % and counts only recommendations whose horizons
 * do not overlap.
 */
export interface Statistic {
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly n: number;
  readonly effectiveN: number;
  /** The reason why there is no value or no interval; null when both exist. */
  readonly reason: string | null;
}

interface CalibrationBin {
  readonly from: number;
  readonly to: number;
  readonly n: number;
  readonly meanConfidence: number | null;
  readonly hitRate: number | null;
}

export interface TrackRecordStatistics {
  readonly n: number;
  /** Of them, those whose horizons do not overlap. */
  readonly effectiveN: number;
  readonly actions: Readonly<Record<Action, { readonly n: number; readonly hits: number }>>;
  readonly hitRate: Statistic;
  /**
   * Mean squared error of the reported confidence and of the base rate, and reported − base (below
   * 0 is better).
   */
  readonly brier: Statistic;
  readonly baseRateBrier: Statistic;
  readonly brierDifference: Statistic;
  /** 1 − brier / baseRateBrier. */
  readonly skill: Statistic;
  /**
   * Mean distance between confidence and hit rate over the bins, weighted by n (expected
   * calibration error).
   */
  readonly calibrationError: Statistic;
  readonly calibration: readonly CalibrationBin[];
}

/**
 * Statistics from sums over recommendations. Sources: Brier, Monthly Weather Review 78 (1950); ECE:
 * Naeini et al., AAAI 2015.
 */
export function statisticsOf(sums: readonly BinSums[]): TrackRecordStatistics {
  const n = total(sums, "n");
  const effectiveN = total(sums, "independent");
  const hits = total(sums, "hits");
  const statistic = (value: number, interval: Interval | null = null): Statistic =>
    toStatistic(value, interval, n, effectiveN);
  const reported = total(sums, "brier") / n;
  const base = total(sums, "baseBrier") / n;
  const difference = reported - base;
  const variance = Math.max(0, total(sums, "differenceSquared") / n - difference ** 2);
  const half = effectiveN > 1 ? Z95 * Math.sqrt(variance / (effectiveN - 1)) : null;
  const calibration = Array.from({ length: BINS }, (_, bin) => binOf(sums, bin));
  return {
    n,
    effectiveN,
    actions: byAction(sums),
    hitRate: statistic(hits / n, effectiveN > 0 ? wilson(hits / n, effectiveN) : null),
    brier: statistic(reported),
    baseRateBrier: statistic(base),
    brierDifference: statistic(
      difference,
      half === null ? null : { low: difference - half, high: difference + half },
    ),
    skill: statistic(base === 0 ? Number.NaN : 1 - reported / base),
    calibrationError: statistic(
      calibration.reduce(
        (sum, { n: size, meanConfidence, hitRate }) =>
          sum + (size / n) * Math.abs((meanConfidence ?? 0) - (hitRate ?? 0)),
        0,
      ),
    ),
    calibration,
  };
}

/** A statistic, or the reason why there is none. */
export function toStatistic(
  value: number,
  interval: Interval | null,
  n: number,
  effectiveN: number,
): Statistic {
  const size = { n, effectiveN };
  if (n < MIN_SAMPLES) {
    const reason = `${n} resolved so far, ${MIN_SAMPLES} are needed`;
    return { value: null, low: null, high: null, ...size, reason };
  }
  if (!Number.isFinite(value))
    return { value: null, low: null, high: null, ...size, reason: "not defined" };
  if (interval === null) return { value, low: null, high: null, ...size, reason: null };
  return { value, ...interval, ...size, reason: null };
}

type Summed = Exclude<keyof BinSums, "action" | "bin">;
const total = (sums: readonly BinSums[], key: Summed): number =>
  sums.reduce((sum, one) => sum + one[key], 0);

const byAction = (sums: readonly BinSums[]): TrackRecordStatistics["actions"] =>
  Object.fromEntries(
    ACTIONS.map((action) => {
      const own = sums.filter((one) => one.action === action);
      return [action, { n: total(own, "n"), hits: total(own, "hits") }];
    }),
  ) as TrackRecordStatistics["actions"];

function binOf(sums: readonly BinSums[], bin: number): CalibrationBin {
  const own = sums.filter((one) => one.bin === bin);
  const n = total(own, "n");
  return {
    from: bin / BINS,
    to: (bin + 1) / BINS,
    n,
    meanConfidence: n === 0 ? null : total(own, "confidence") / n,
    hitRate: n === 0 ? null : total(own, "hits") / n,
  };
}
