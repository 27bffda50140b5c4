import * as z from "zod";
import { RESOLUTIONS } from "../domain/market/resolution.ts";

/**
 * An upload holds at most this many bars, a hundred years of days: reading, committing and computing them happens in one
 * go and must stay far inside a Worker's 128 MB. Longer histories come in parts.
 */
export const MOST_IMPORT_ROWS = 25_000;

/** And at most this many bytes. */
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
