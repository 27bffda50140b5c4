import * as z from "zod";
import { RESOLUTIONS } from "../domain/market/resolution.ts";

/**
 * An upload holds at most this many bars, a hundred years of days: reading, committing and computing them happens in one
 * go and must stay far inside a Worker's 128 MB. Longer histories come in parts.
 */
export const MOST_IMPORT_ROWS = 25_000;

/** And at most this many bytes. */
export const MOST_IMPORT_BYTES = 8_000_000;

/** Dividends and splits of one upload: a weekly payer's for forty years. */
export const MOST_IMPORT_ACTIONS = 2_000;

const number = z.number().nullable().optional();

const exDate = z.string().max(64).meta({ description: "the first day traded without it, YYYY-MM-DD" });

const action = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("dividend"),
    exDate,
    amount: z
      .number()
      .meta({ description: "cash for one share, on the scale of the stored bars; 0 takes one back" }),
  }),
  z.strictObject({ type: z.literal("split"), exDate, numerator: z.number(), denominator: z.number() }),
]);

/** Bars as JSON. Types are checked here; what the values mean is checked row by row, like CSV. */
export const importRequest = z
  .strictObject({
    resolution: z.enum(RESOLUTIONS).default("1d"),
    bars: z
      .array(
        z.strictObject({
          timestamp: z.string().max(64),
          open: number,
          high: number,
          low: number,
          close: z.number(),
          volume: number,
        }),
      )
      .max(MOST_IMPORT_ROWS)
      .default([]),
    actions: z.array(action).max(MOST_IMPORT_ACTIONS).default([]),
  })
  .refine(({ bars, actions }) => bars.length + actions.length > 0, {
    path: ["bars"],
    error: "there are neither bars nor actions",
  });
