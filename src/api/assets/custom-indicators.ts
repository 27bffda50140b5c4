import * as z from "zod";
import type { Bar } from "../../domain/asset/bar.ts";
import { type AdjustmentStep, adjusted } from "../../domain/asset/total-return.ts";
import { assetStream } from "../../domain/events/envelope.ts";
import {
  type CustomIndicatorReading,
  readCustomIndicators,
} from "../../domain/indicators/custom-indicators.ts";
import { periodsPerYear } from "../../domain/indicators/periods-per-year.ts";
import type { CalendarId } from "../../domain/market/calendar-id.ts";
import type { Resolution } from "../../domain/market/resolution.ts";
import {
  MAX_SOURCE_BARS,
  type Resampling,
  resampledBefore,
} from "../../read-model/resampled-series.ts";
import { barsWithWarmUp } from "../../read-model/series.ts";
import { projectedHeads } from "../../read-model/streams.ts";
import type { ApiEnv } from "../http/platform.ts";
import { ApiProblem } from "../http/problem.ts";
import { barsResampled } from "./resampling.ts";

/** Bars before the first one shown that one question may run through. */
const MAX_WARM_UP_BARS = 20_000;

/** `sma50,rsi7`: read once, so that a wrong name is a precise refusal. */
export const namesQuery = z
  .string()
  .max(600)
  .transform((text) => text.split(","))
  .optional()
  .meta({
    description:
      "Indicators by name and parameters, separated by commas, at most 20: sma50, ema12, rsi7, atr10, adx20, cci30, mfi10, " +
      "bb20_2.5, macd5_35_5, stoch5_3_3, volatility60, sharpe60, sortino60, calmar252, var95_250, cvar95_250, return, logReturn, " +
      "drawdown, obv, or any name of the usual set. Computed from the bars; without it the usual set is shown.",
  });

type Accepted = Extract<CustomIndicatorReading, { readonly ok: true }>;

/** What the names ask for; refuses them all at once if one of them is wrong. */
export function customIndicators(names: readonly string[]): Accepted {
  const reading = readCustomIndicators(names);
  if (reading.ok) return reading;
  const items = reading.problems.map(({ name, reason }) => ({
    field: "names",
    reason: `${name.slice(0, 40)} ${reason}`,
  }));
  throw new ApiProblem("invalid_query", `names: ${items[0]?.reason ?? "not readable"}`, items);
}

export interface SeriesPage {
  readonly symbol: string;
  /** By which bars are counted to a year. */
  readonly calendar: CalendarId;
  readonly resolution: Resolution;
  /** Epoch ms, both included. */
  readonly from: number;
  readonly to: number;
  readonly limit: number;
  /** The finer bars that they are to be made of, when not stored ones. */
  readonly resampling: Resampling | null;
  /** What adjusts the stored bars; none for bars as stored. */
  readonly steps: readonly AdjustmentStep[];
}

export interface ComputedRow {
  readonly timestamp: number;
  readonly values: Record<string, number | null>;
}

/**
 * Values of a page of bars, oldest first. They follow from the stream's version alone, so they are
 * computed once for each. They are what a run from the first bar would give, but for rounding;
 * where that needs more bars than a question may run through, it is refused.
 */
export async function computedIndicators(
  { api }: ApiEnv["Bindings"],
  reads: D1DatabaseSession,
  series: SeriesPage,
  { custom, rows }: Accepted,
): Promise<ComputedRow[]> {
  const { symbol, resolution, from, to, limit } = series;
  const streamId = assetStream(symbol);
  const version = (await projectedHeads(reads, [streamId])).get(streamId)?.version ?? 0;
  const made =
    series.resampling === null ? resolution : `${resolution} of ${series.resampling.from}`;
  const about = [
    symbol,
    made,
    // Read before the version was: what is remembered under it must not be of older ones.
    await api.hash(JSON.stringify(series.steps)),
    version,
    series.calendar,
    from,
    to,
    limit,
    custom.keys.join(","),
  ].map(String);
  return api.cached(["indicators", ...about], async () => {
    const warmUp = custom.warmUp ?? MAX_WARM_UP_BARS + 1;
    const { before, page } = await barsOf(reads, series, warmUp);
    if (before.length > MAX_WARM_UP_BARS) {
      throw new ApiProblem(
        "invalid_query",
        `drawdown and obv count from the first bar, and more than ${MAX_WARM_UP_BARS} bars lie before this range; ask for a coarser resolution.`,
        [{ field: "names", reason: "too many bars lie before the range" }],
      );
    }
    const values = rows(
      [...before, ...page],
      periodsPerYear(series.calendar, resolution),
      before.length,
    );
    return page.map(({ timestamp }, index) => ({ timestamp, values: values[index] ?? {} }));
  });
}

/** The bars of a page, and those before it that the indicators need to warm up. */
async function barsOf(
  reads: D1DatabaseSession,
  series: SeriesPage,
  warmUp: number,
): Promise<{ readonly before: readonly Bar[]; readonly page: readonly Bar[] }> {
  const { resampling, from, to, limit, steps } = series;
  if (resampling === null) {
    const { before, page } = await barsWithWarmUp(reads, series, limit, warmUp);
    return { before: adjusted(before, steps), page: adjusted(page, steps) };
  }
  const page = await barsResampled(reads, resampling, { from, to, limit, steps });
  const first = page[0];
  if (first === undefined) return { before: [], page };
  const { bars: before, whole } = await resampledBefore(
    reads,
    resampling,
    first.timestamp,
    warmUp,
    steps,
  );
  if (!whole) {
    throw new ApiProblem(
      "invalid_query",
      `These indicators need more of the bars before this range than ${MAX_SOURCE_BARS} bars of ${resampling.from} make.`,
      [{ field: "resampleFrom", reason: "too fine for the bars these indicators need" }],
    );
  }
  return { before, page };
}
