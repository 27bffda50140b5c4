import * as z from "zod";
import { type Encoding, encodingMarked } from "../../domain/import/encoding.ts";
import { RESOLUTIONS } from "../../domain/market/resolution.ts";

/**
 * An upload holds at most this many bars, a hundred years of days: reading, committing and
 * computing them happens in one go and must stay far inside a Worker's 128 MB. Longer histories
 * come in parts.
 */
export const MAX_IMPORT_ROWS = 25_000;

/** And at most this many bytes. */
export const MAX_IMPORT_BYTES = 8_000_000;

/** Dividends and splits of one upload: a weekly payer's for forty years. */
const MAX_IMPORT_ACTIONS = 2_000;

const number = z.number().nullable().optional();

const exDate = z
  .string()
  .max(64)
  .meta({ description: "the first day traded without it, YYYY-MM-DD" });

const action = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("dividend"),
    exDate,
    amount: z.number().meta({
      description: "cash for one share, on the scale of the stored bars; 0 takes one back",
    }),
  }),
  z.strictObject({
    type: z.literal("split"),
    exDate,
    numerator: z.number(),
    denominator: z.number(),
  }),
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
      .max(MAX_IMPORT_ROWS)
      .default([]),
    actions: z.array(action).max(MAX_IMPORT_ACTIONS).default([]),
  })
  .refine(({ bars, actions }) => bars.length + actions.length > 0, {
    path: ["bars"],
    error: "there are neither bars nor actions",
  });

/** The characters of a file, and how its bytes stood for them. */
export function decodeFile(bytes: ArrayBuffer): {
  readonly text: string;
  readonly encoding: Encoding;
} {
  const marked = encodingMarked(new Uint8Array(bytes, 0, Math.min(bytes.byteLength, 1024)));
  if (marked !== null) return { text: new TextDecoder(marked).decode(bytes), encoding: marked };
  try {
    return {
      text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes),
      encoding: "UTF-8",
    };
  } catch {
    return { text: new TextDecoder("windows-1252").decode(bytes), encoding: "Windows-1252" };
  }
}

/**
 * Values of the largest upload: every field of every bar and action, and what holds them together.
 */
const MAX_IMPORT_VALUES = MAX_IMPORT_ROWS * 6 + MAX_IMPORT_ACTIONS * 5 + 100;

const [QUOTE, BACKSLASH, COMMA, OPEN_BRACE, OPEN_BRACKET] = [34, 92, 44, 123, 91];

/**
 * Why a text is more JSON than an upload may be, or null. Told by counting its braces and commas,
 * before anything is parsed: eight megabytes of empty objects would be hundreds of megabytes of
 * memory.
 */
export function tooMuchJson(text: string): string | null {
  let objects = 0;
  let values = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at += 1;
      while (at < text.length && text.charCodeAt(at) !== QUOTE)
        at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
    } else if (code === COMMA) values += 1;
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) objects += 1;
  }
  const rows = MAX_IMPORT_ROWS + MAX_IMPORT_ACTIONS;
  // The body itself and its two lists are no rows.
  if (objects > rows + 3)
    return `has ${objects} objects and lists; at most ${MAX_IMPORT_ROWS} bars and ${MAX_IMPORT_ACTIONS} actions are taken at once`;
  if (values > MAX_IMPORT_VALUES)
    return `has ${values} values; at most ${MAX_IMPORT_ROWS} bars are taken at once`;
  return null;
}
