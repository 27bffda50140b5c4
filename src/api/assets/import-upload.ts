import type { HonoRequest } from "hono";
import * as z from "zod";
import { barsOf, readJsonBars } from "../../domain/asset/read-bars.ts";
import type { Encoding } from "../../domain/import/encoding.ts";
import { type Answers, DATE_FORMATS, WEEK_DATES } from "../../domain/import/question.ts";
import { readRequestedColumns } from "../../domain/import/requested-columns.ts";
import { understand } from "../../domain/import/understand.ts";
import type { Understanding } from "../../domain/import/understanding.ts";
import { isCalendarId } from "../../domain/market/calendar-id.ts";
import { RESOLUTIONS, type Resolution } from "../../domain/market/resolution.ts";
import { isZone } from "../../domain/market/zone-time.ts";
import type { ProblemItem } from "../../domain/outcome.ts";
import {
  decodeFile,
  importRequest,
  MAX_IMPORT_ROWS,
  tooMuchJson,
} from "../../queues/ingest/import-format.ts";
import { ApiProblem } from "../http/problem.ts";
import { detailOf, itemsOf } from "../http/problem-items.ts";
import { parseJson } from "../http/schemas.ts";

export const CSV_EXAMPLE =
  "timestamp,open,high,low,close,volume\n2020-04-16,2799.34,2806.51,2764.32,2799.55,5179990000\n";

/** What a CSV upload may look like, for the API's description. */
export const IMPORT_FORMS =
  "CSV comes as people have it: encoding, delimiter, title lines, header, date form, decimal and thousands marks, currency signs and volume suffixes are recognised, and so are the exports of Yahoo, Stooq, Investing.com, Nasdaq, TradingView, Binance, Kraken, MetaTrader, Alpha Vantage, pandas, yfinance and Excel.";

const DELIMITER_NAMES: Readonly<{ [name: string]: string }> = {
  comma: ",",
  semicolon: ";",
  tab: "\t",
  pipe: "|",
  ",": ",",
  ";": ";",
  "\t": "\t",
  "|": "|",
};

/**
 * What the sender may say about a file. All of it is optional; what is not said is read from the
 * file or asked.
 */
export const importQuery = z.object({
  resolution: z
    .enum(RESOLUTIONS)
    .optional()
    .meta({ description: "the bars' length; 1d unless told" }),
  delimiter: z
    .string()
    .max(10)
    .transform((text, context) => {
      const delimiter = DELIMITER_NAMES[text];
      if (delimiter !== undefined) return delimiter;
      context.addIssue({ code: "custom", message: "comma, semicolon, tab or pipe" });
      return z.NEVER;
    })
    .optional()
    .meta({ description: "comma, semicolon, tab or pipe, or the character itself" }),
  columns: z
    .string()
    .max(1000)
    .superRefine((text, context) => {
      const read = readRequestedColumns(text);
      if (!read.ok) context.addIssue({ code: "custom", message: read.reason });
    })
    .optional()
    .meta({
      description:
        "which column is what, by name or position from 1: `close:Adj Close,volume:none`; or all in order: `timestamp,open,high,low,close,volume`, `-` for one to pass over",
      example: "close:Adj Close",
    }),
  dateFormat: z.enum(DATE_FORMATS).optional().meta({
    description:
      "the order of day, month and year; `epoch` for numbers since 1970, `excel` for day numbers",
  }),
  decimal: z
    .enum([".", ",", "point", "comma"])
    .transform((mark) => (mark === "point" || mark === "." ? ("." as const) : ("," as const)))
    .optional()
    .meta({ description: "the mark before the decimals" }),
  timeZone: z
    .string()
    .max(64)
    .refine(isZone, "an IANA time zone such as America/New_York, or UTC")
    .optional()
    .meta({
      description:
        "where times without a zone are read, and which clock spells the date of a daily instant",
    }),
  weekDated: z
    .enum(WEEK_DATES)
    .optional()
    .meta({ description: "whether weekly rows are dated at the start or the end of their week" }),
});

export type ImportQuery = z.infer<typeof importQuery>;

export interface Upload {
  readonly format: "csv" | "json";
  /** As it came; JSON with its defaults filled in. */
  readonly file: ArrayBuffer | string;
  readonly resolution: Resolution;
  /** What the sender said of it; null for nothing. */
  readonly answers: Omit<Answers, "resolution"> | null;
}

type Body = Pick<HonoRequest, "header" | "arrayBuffer" | "text">;

/** What a file is for: an asset by its calendar and what its prices are in. */
export interface Quoted {
  readonly calendar: string;
  readonly currency: string;
}

/**
 * Reads an upload for certain or refuses it. Refused rows of a file that can be read are the job's
 * to report.
 */
export async function readUpload(body: Body, query: ImportQuery, asset: Quoted): Promise<Upload> {
  switch (contentTypeOf(body)) {
    case "text/csv": {
      const { file, understood } = await understandCsv(body, query, asset);
      refuseUnanswered(understood);
      return {
        format: "csv",
        file,
        resolution: understood.recognised.resolution,
        answers: answersOf(query),
      };
    }
    case "application/json":
      return readJson(await body.text(), query, asset.calendar);
    default:
      throw new ApiProblem("unsupported_media_type", "Send text/csv or application/json.");
  }
}

export const contentTypeOf = (body: Pick<HonoRequest, "header">): string | undefined =>
  (body.header("content-type") ?? "").split(";")[0]?.trim().toLowerCase();

/** A file, how its bytes were read, and everything that was understood of it. */
export async function understandCsv(
  body: Pick<HonoRequest, "arrayBuffer">,
  query: ImportQuery,
  { calendar, currency }: Quoted,
): Promise<{
  readonly file: ArrayBuffer;
  readonly encoding: Encoding;
  readonly understood: Understanding;
}> {
  const file = await body.arrayBuffer();
  const { text, encoding } = decodeFile(file);
  if (!isCalendarId(calendar)) throw new Error(`an asset has the calendar ${calendar}`);
  const understood = understand(text, {
    maxRows: MAX_IMPORT_ROWS,
    calendar,
    currency,
    answers: query,
  });
  return { file, encoding, understood };
}

const answersOf = ({ resolution: _, ...rest }: ImportQuery): Upload["answers"] =>
  Object.values(rest).every((answer) => answer === undefined) ? null : rest;

/**
 * What cannot be read for certain is refused at once, with everything that is open and the way out
 * of each.
 */
function refuseUnanswered(understood: Understanding): void {
  const reading = barsOf(understood);
  if (reading.ok || reading.kind === "rows") return;
  const items: ProblemItem[] = reading.errors.map((reason) => ({ field: "file", reason }));
  // How numbers read is not known yet while their decimal mark is asked for.
  const doubtful = understood.questions.some(({ parameter }) => parameter === "decimal");
  if (!doubtful) items.push(...understood.refused);
  throw new ApiProblem(
    "validation_failed",
    reading.errors.slice(0, 3).join("; "),
    items.slice(0, 100),
  );
}

function readJson(text: string, query: ImportQuery, calendar: string): Upload {
  const { resolution: requested, weekDated, timeZone, ...ofCsv } = query;
  const strange = Object.entries(ofCsv).flatMap(([field, value]) =>
    value === undefined ? [] : [field],
  );
  if (strange.length > 0)
    throw new ApiProblem(
      "invalid_query",
      `${strange.join(", ")} tells of CSV; JSON says it itself.`,
      strange.map((field) => ({ field, reason: "tells of CSV" })),
    );
  const tooMuch = tooMuchJson(text);
  if (tooMuch !== null)
    throw new ApiProblem("validation_failed", `The body ${tooMuch}.`, [
      { field: "bars", reason: tooMuch },
    ]);
  const parsed = importRequest.safeParse(parseJson(text));
  if (!parsed.success) {
    const items = itemsOf(parsed.error);
    throw new ApiProblem("validation_failed", detailOf(items), items);
  }
  const { resolution, bars } = parsed.data;
  if (requested !== undefined && requested !== resolution) {
    throw new ApiProblem(
      "validation_failed",
      "The query and the body name different resolutions.",
      [{ field: "resolution", reason: `the query says ${requested}, the body ${resolution}` }],
    );
  }
  if (!isCalendarId(calendar)) throw new Error(`an asset has the calendar ${calendar}`);
  const reading =
    bars.length === 0 ? null : readJsonBars(bars, { resolution, calendar, weekDated, timeZone });
  if (reading !== null && !reading.ok && reading.kind === "file") {
    const items = reading.errors.slice(0, 100).map((reason) => ({ field: "file", reason }));
    throw new ApiProblem("validation_failed", reading.errors.slice(0, 3).join("; "), items);
  }
  const answers = answersOf({ weekDated, timeZone });
  return { format: "json", file: JSON.stringify(parsed.data), resolution, answers };
}
