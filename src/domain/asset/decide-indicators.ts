import type { AssetFact } from "../events/catalogue.ts";
import type { NewEvent } from "../events/envelope.ts";
import { splitByBytes } from "../events/split.ts";
import type { IndicatorValues } from "../indicators/values.ts";
import { iso } from "../iso.ts";
import type { Resolution } from "../market/resolution.ts";
import { calendarOf } from "../market/usual-calendar.ts";
import {
  ANALYSIS_VERSION,
  type AnalysisState,
  advance,
  initialAnalysisState,
  matchesState,
} from "../recommendation/analysis-state.ts";
import type { Bar } from "./bar.ts";
import { type AdjustmentStep, adjuster } from "./total-return.ts";

/** The last bar with indicators, and the earliest bar that has changed since. */
export interface Analysed {
  readonly state: AnalysisState;
  readonly dirtyFrom: number | null;
}

export interface IndicatorsDecision {
  readonly events: readonly NewEvent[];
  readonly state: AnalysisState;
  readonly computed: number;
  /** True when it started over from the first bar. */
  readonly rebuilt: boolean;
  /** The newest version among the bars that were taken in. */
  readonly newest: number;
}

/**
 * Takes in the bars since the last time; a changed past, another split (`steps`, oldest first),
 * another calendar or a newer analysis version starts over from the first bar. Bars are taken in as
 * they are after the splits that they still show. `barsAfter` walks the bars after an instant
 * (epoch ms), oldest first. Advances `analysed.state` in place.
 */
export function decideIndicators(
  asset: AssetFact,
  analysed: Analysed | null,
  barsAfter: (timestamp: number) => Iterable<Bar & { readonly version: number }>,
  {
    resolution,
    codeVersion,
    steps,
  }: {
    readonly resolution: Resolution;
    readonly codeVersion: string;
    readonly steps: readonly AdjustmentStep[];
  },
): IndicatorsDecision {
  const calendar = calendarOf(asset);
  const stale =
    analysed !== null &&
    (analysed.state.version !== ANALYSIS_VERSION || !matchesState(analysed.state, calendar, steps));
  const rebuilt = analysed !== null && (stale || analysed.dirtyFrom !== null);
  const state =
    analysed === null || rebuilt
      ? initialAnalysisState(asset.type, resolution, calendar, steps)
      : analysed.state;
  const onScale = adjuster(steps);
  // After a change in the past only what can differ is published: everything from that bar on.
  const publishFrom = rebuilt && !stale ? (analysed.dirtyFrom ?? 0) : Number.NEGATIVE_INFINITY;
  let newest = 0;
  const items: { timestamp: string; values: IndicatorValues }[] = [];
  for (const bar of barsAfter(state.lastTimestamp ?? Number.MIN_SAFE_INTEGER)) {
    const values = advance(state, onScale(bar));
    newest = Math.max(newest, bar.version);
    if (bar.timestamp >= publishFrom) items.push({ timestamp: iso(bar.timestamp), values });
  }
  const runs = splitByBytes(items);
  const events = runs.map(
    (run, index): NewEvent => ({
      eventType: "IndicatorsComputed",
      payload: {
        symbol: asset.symbol,
        resolution,
        codeVersion,
        part: index + 1,
        parts: runs.length,
        items: run,
      },
    }),
  );
  return { events, state, computed: items.length, rebuilt, newest };
}
