import * as z from "zod";
import type { Bar } from "../../domain/asset/bar.ts";
import { resamplingProblem } from "../../domain/asset/resample.ts";
import { isCalendarId } from "../../domain/market/calendar-id.ts";
import { RESOLUTIONS, type Resolution } from "../../domain/market/resolution.ts";
import {
  MAX_SOURCE_BARS,
  type ResampledRange,
  type Resampling,
  resampledBars,
} from "../../read-model/resampled-series.ts";
import type { AssetRecord } from "../../records/assets/asset-records.ts";
import { ApiProblem } from "../http/problem.ts";

/** Bars of another, finer resolution to make the asked ones of, session by session. */
export const resampleQuery = z.enum(RESOLUTIONS).optional().meta({
  description: "make the bars out of stored ones of this finer resolution, session by session",
});

/**
 * What the finer bars are that an answer is to be made of; null when none are asked for. Refuses
 * what cannot be made.
 */
export function resamplingOf(
  asset: AssetRecord,
  to: Resolution,
  from: Resolution | undefined,
): Resampling | null {
  if (from === undefined) return null;
  const problem = resamplingProblem(from, to);
  const { symbol, calendar } = asset;
  if (problem !== null || !isCalendarId(calendar)) {
    throw new ApiProblem("invalid_query", `resampleFrom: ${problem}`, [
      { field: "resampleFrom", reason: problem ?? "the calendar is not known" },
    ]);
  }
  return { symbol, calendar, from, to };
}

/**
 * Bars of a range, made of finer ones; refuses a range of more finer bars than one question may run
 * through.
 */
export async function barsResampled(
  reads: D1DatabaseSession,
  resampling: Resampling,
  range: ResampledRange,
): Promise<readonly Bar[]> {
  const { bars, whole } = await resampledBars(reads, resampling, range);
  if (!whole) {
    throw new ApiProblem(
      "invalid_query",
      `More than ${MAX_SOURCE_BARS} bars would have to be read; ask for fewer at once.`,
      [{ field: "limit", reason: "too many finer bars lie in this range" }],
    );
  }
  return bars;
}
