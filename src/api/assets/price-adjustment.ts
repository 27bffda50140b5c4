import * as z from "zod";
import { type AdjustmentStep, actionsAfter } from "../../domain/asset/total-return.ts";
import { iso } from "../../domain/iso.ts";
import { isCalendarId } from "../../domain/market/calendar-id.ts";
import type { Resolution } from "../../domain/market/resolution.ts";
import { calendarOf } from "../../domain/market/usual-calendar.ts";
import { whileStill } from "../../read-model/consistent-read.ts";
import { MAX_ACTIONS, readSplitSteps, readSteps } from "../../read-model/corporate-actions.ts";
import { SeriesMoved } from "../../read-model/versioned-bars.ts";
import type { AssetRecord } from "../../records/assets/asset-records.ts";
import { ApiProblem } from "../http/problem.ts";

const ADJUSTMENTS = ["split", "totalReturn", "none"] as const;

/** Which prices: adjusted for splits, for dividends as well, or as they are stored. */
export const adjustedQuery = z
  .enum(ADJUSTMENTS)
  .default("split")
  .meta({
    description:
      "`split`: every price before a split on record that the stored bars still show divided by it, every volume multiplied " +
      "(vendors' bars come adjusted for splits, and stay as they are). `totalReturn`: moreover every price before an ex-date " +
      "multiplied by 1 − dividend / close of the bar before it. `none`: as stored.",
  });

/** What an answer says of its prices. */
export const adjustedView = {
  adjusted: z.enum(ADJUSTMENTS),
  actionsApplied: z.number().int().meta({
    description:
      "splits and dividends that took part in these prices; 0 when these are the stored ones",
  }),
};

/** The same of an answer that is always made of prices after every split on record. */
export const pricesView = {
  adjusted: z
    .literal("split")
    .meta({ description: "prices before a split on record are divided by it" }),
  actionsApplied: z.number().int().meta({
    description: "splits that the stored bars still show and that were taken out of them",
  }),
};

type Adjusted = (typeof ADJUSTMENTS)[number];

/** Every price and the close it is adjusted by, as of one moment. */
export interface Adjusting {
  readonly asset: AssetRecord;
  readonly adjusted: Adjusted;
  /** The bars that are stored, from this key on (epoch ms). */
  readonly resolution: Resolution;
  readonly from: number;
}

/** Takes what was read with the steps for it; for prices as stored there are none. */
export async function withSteps<T>(
  reads: D1DatabaseSession,
  asking: Adjusting,
  read: (steps: readonly AdjustmentStep[]) => Promise<T>,
): Promise<T> {
  if (asking.adjusted === "none") return read([]);
  if (asking.adjusted === "split") {
    // Nearly every series has no split to take out, and what is read of it may be written
    // meanwhile.
    const plain = (await stepsFor(reads, asking)).length === 0 ? await read([]) : null;
    if (plain !== null && (await stepsFor(reads, asking)).length === 0) return plain;
  }
  return unlessMoved(() =>
    whileStill(reads, asking.asset.symbol, async () => read(await stepsFor(reads, asking))),
  );
}

/** A series that was written again and again while it was read is for another try. */
export async function unlessMoved<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof SeriesMoved)) throw error;
    throw new ApiProblem("unavailable", "The series is being written; try again.", undefined, {
      "retry-after": "1",
    });
  }
}

async function stepsFor(
  reads: D1DatabaseSession,
  { asset, adjusted, resolution, from }: Adjusting,
) {
  const { symbol, calendar } = asset;
  if (adjusted === "split")
    return readSplitSteps(reads, { symbol, resolution, calendar: calendarOf(asset), from });
  if (!isCalendarId(calendar)) throw impossible("the calendar is not known");
  const reading = await readSteps(reads, { symbol, resolution, calendar, from });
  if (reading === null)
    throw impossible(`more than ${MAX_ACTIONS} dividends and splits lie after its beginning`);
  if (reading.ok) return reading.steps;
  const day = iso(reading.at).slice(0, 10);
  throw impossible(
    `the dividends before the bar of ${day} are not below the close they were paid from`,
  );
}

const impossible = (reason: string): ApiProblem =>
  new ApiProblem("not_computable", `adjusted=totalReturn: ${reason}.`, [
    { field: "adjusted", reason },
  ]);

/** The fields of `adjustedView` for prices from the first of these bars on. */
export const adjustmentOf = (
  requested: Adjusted,
  steps: readonly AdjustmentStep[],
  first: { readonly timestamp: number } | undefined,
): { adjusted: Adjusted; actionsApplied: number } => ({
  adjusted: requested,
  actionsApplied: first === undefined ? 0 : actionsAfter(steps, first.timestamp),
});
