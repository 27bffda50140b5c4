import * as z from "zod";
import { RESOLUTIONS } from "../domain/market/resolution.ts";

/** An upload holds at most this many bars: two hundred years of days, or half a year of five-minute bars. */
export const MOST_IMPORT_ROWS = 50_000;

/** And at most this many bytes, so that reading it stays far inside a Worker's 128 MB. */
export const MOST_IMPORT_BYTES = 8_000_000;

const number = z.number().nullable().optional();

/** Bars as JSON. Types are checked here; what the values mean is checked row by row, like CSV. */
export const importRequest = z.strictObject({
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
    .min(1)
    .max(MOST_IMPORT_ROWS),
});
