import { readTrend } from "../analysis/trend.ts";
import { TREND_PARAMETERS, windowLength } from "../analysis/trend-parameters.ts";
import type { Bar } from "../asset/bar.ts";
import type { AdjustmentStep } from "../asset/total-return.ts";
import { periodsPerYear } from "../indicators/periods-per-year.ts";
import {
  addBar,
  INDICATOR_STATE_VERSION,
  type IndicatorState,
  initialIndicatorState,
} from "../indicators/streaming-set.ts";
import type { IndicatorValues } from "../indicators/values.ts";
import type { AssetType } from "../market/asset-type.ts";
import type { CalendarId } from "../market/calendar-id.ts";
import type { Resolution } from "../market/resolution.ts";
import { ACTION_IN } from "./action.ts";
import { RULES_ENGINE_VERSION } from "./rules-engine.ts";
import type { Snapshot } from "./snapshot.ts";
import {
  expectedMove,
  initialTrackRecord,
  note,
  settle,
  type TrackRecordState,
} from "./track-record-state.ts";

/**
 * A state of another version is rebuilt from bars. Raise the last digits when this state, the
 * trend's rules or the track record change shape or meaning; a new version of the indicators raises
 * it by itself.
 */
export const ANALYSIS_VERSION = 1000 * INDICATOR_STATE_VERSION + 2;

/**
 * The analysis state of one asset at one resolution. Plain JSON of bounded size, lossless in a
 * round trip. It is a function of the final bars in order, so it can always be rebuilt from them.
 */
export interface AnalysisState {
  version: number;
  assetType: AssetType;
  resolution: Resolution;
  indicators: IndicatorState;
  /**
   * The splits that the bars of before them were adjusted for; with others the whole state would be
   * another.
   */
  splits: readonly KnownSplit[];
  /** The latest closes, oldest first, at most `windowLength(resolution)` of them. */
  closes: number[];
  calibration: TrackRecordState;
  /** Number of bars so far. */
  bars: number;
  /** Timestamp and indicator values of the latest bar; null before the first. */
  lastTimestamp: number | null;
  lastValues: IndicatorValues | null;
}

/**
 * A split that the stored bars still show: those before `at` (epoch ms) were multiplied by
 * `factor`.
 */
export type KnownSplit = Pick<AdjustmentStep, "at" | "factor">;

/**
 * `calendar` gives the number of bars in a year, `splits` (oldest first) the splits that the coming
 * bars are adjusted for.
 */
export const initialAnalysisState = (
  assetType: AssetType,
  resolution: Resolution,
  calendar: CalendarId,
  splits: readonly KnownSplit[] = [],
): AnalysisState => ({
  version: ANALYSIS_VERSION,
  assetType,
  resolution,
  indicators: initialIndicatorState(periodsPerYear(calendar, resolution)),
  splits: splits.map(({ at, factor }) => ({ at, factor })),
  closes: [],
  calibration: initialTrackRecord(),
  bars: 0,
  lastTimestamp: null,
  lastValues: null,
});

/**
 * True if a state was made of bars adjusted for these very splits, and annualised by this calendar.
 */
export const matchesState = (
  { splits, indicators, resolution }: AnalysisState,
  calendar: CalendarId,
  steps: readonly KnownSplit[],
): boolean =>
  indicators.periodsPerYear === periodsPerYear(calendar, resolution) &&
  splits.length === steps.length &&
  splits.every(({ at, factor }, n) => at === steps[n]?.at && factor === steps[n]?.factor);

const scoreRecommendations = (
  state: AnalysisState,
  close: number,
  values: IndicatorValues,
): void => {
  const { horizon } = TREND_PARAMETERS[state.resolution];
  settle(state.calibration, state.bars, close);
  if (state.bars % horizon !== 0 || values.volatility30 === null) return;
  const trend = readTrend(state.resolution, { closes: state.closes, values });
  if (trend.score === null) return; // Not knowing is not a HOLD, and must not earn its record.
  note(state.calibration, {
    // The action of the trend is counted also when it is not recommended, or it could never prove
    // itself.
    action: ACTION_IN[trend.direction],
    close,
    expectedMove: expectedMove(values.volatility30, state.indicators.periodsPerYear, horizon),
    dueAtBar: state.bars + horizon,
  });
};

/**
 * Adds the next final bar to `state` (in place) and returns its indicator values. Throws a
 * RangeError, leaving the state as it was, on a bar that is not later than the last one: a revision
 * or a late bar means a rebuild, and only a bug would bring it here.
 */
export const advance = (state: AnalysisState, bar: Bar): IndicatorValues => {
  if (state.lastTimestamp !== null && !(bar.timestamp > state.lastTimestamp))
    throw new RangeError(
      `The bar at ${bar.timestamp} is not later than the last one, at ${state.lastTimestamp}.`,
    );
  const values = addBar(state.indicators, bar);
  state.closes.push(bar.close);
  if (state.closes.length > windowLength(state.resolution)) state.closes.shift();
  state.bars += 1;
  state.lastTimestamp = bar.timestamp;
  state.lastValues = values;
  scoreRecommendations(state, bar.close, values);
  return values;
};

/**
 * The facts for a recommendation as of the latest bar, sharing nothing with `state`; null before
 * the first bar.
 */
export const snapshotOf = (
  state: AnalysisState,
  asset: { readonly symbol: string; readonly source: string },
): Snapshot | null => {
  const { closes, lastTimestamp, lastValues, calibration } = state;
  const close = closes.at(-1);
  if (lastTimestamp === null || lastValues === null || close === undefined) return null;
  const { actions } = calibration.counts;
  return {
    symbol: asset.symbol,
    assetType: state.assetType,
    resolution: state.resolution,
    asOf: lastTimestamp,
    close,
    source: asset.source,
    values: { ...lastValues },
    trend: readTrend(state.resolution, { closes, values: lastValues }),
    trackRecord: {
      ...calibration.counts,
      actions: { BUY: { ...actions.BUY }, HOLD: { ...actions.HOLD }, SELL: { ...actions.SELL } },
    },
    splits: state.splits.length,
    engine: "rules",
    engineVersion: RULES_ENGINE_VERSION,
  };
};
