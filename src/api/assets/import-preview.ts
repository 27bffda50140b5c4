import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import { type BarsCheck, checkBars } from "../../domain/asset/check-bars.ts";
import { ANSWER_NAMES, asQuery, DATE_FORMATS, WEEK_DATES } from "../../domain/import/question.ts";
import type { Understanding } from "../../domain/import/understanding.ts";
import { iso } from "../../domain/iso.ts";
import { barKey } from "../../domain/market/bar-key.ts";
import { type CalendarId, isCalendarId } from "../../domain/market/calendar-id.ts";
import { RESOLUTIONS } from "../../domain/market/resolution.ts";
import { requires } from "../http/auth.ts";
import { preconditions } from "../http/conditional-writes.ts";
import { idempotency } from "../http/idempotency.ts";
import { ApiProblem, problemSchema } from "../http/problem.ts";
import { router, symbolParams } from "../http/schemas.ts";
import { requireAsset } from "./assets.ts";
import {
  CSV_EXAMPLE,
  contentTypeOf,
  IMPORT_FORMS,
  importQuery,
  understandCsv,
} from "./import-upload.ts";

/** So many rows are shown as they would be stored. */
const SHOWN_ROWS = 10;

const place = { row: z.number().int(), line: z.number().int().nullable() };
const price = z.number().nullable();

const previewView = z
  .object({
    symbol: z.string(),
    ready: z
      .boolean()
      .meta({ description: "true when the same file and query would be stored as it is shown" }),
    recognised: z.object({
      form: z
        .object({ id: z.string(), name: z.string() })
        .nullable()
        .meta({ description: "the export it is, known by its header; null for any other table" }),
      encoding: z.string(),
      delimiter: z.string().nullable(),
      headerRow: z
        .number()
        .int()
        .nullable()
        .meta({ description: "the header's line; null without one" }),
      columns: z
        .record(z.string(), z.string())
        .meta({ description: "what each value's column is called in the file" }),
      dateFormat: z.enum([...DATE_FORMATS, "named"]).nullable(),
      decimal: z.enum([".", ","]).nullable(),
      thousands: z.array(z.string()),
      currencySigns: z.array(z.string()),
      volumeSuffixes: z.array(z.string()),
      resolution: z.enum(RESOLUTIONS).meta({ description: "what the rows are taken for" }),
      spacing: z
        .enum(RESOLUTIONS)
        .nullable()
        .meta({ description: "what the distance between rows tells" }),
      timeZone: z.string().nullable().meta({
        description: "where times are read; `written` when rows say it, null for dates alone",
      }),
      weekDated: z.enum(WEEK_DATES).nullable(),
    }),
    rows: z.number().int(),
    bars: z
      .array(
        z.object({
          ...place,
          timestamp: z.string(),
          open: price,
          high: price,
          low: price,
          close: z.number(),
          volume: price,
        }),
      )
      .meta({
        description: "the first rows as they would be stored; none while a question is open",
      }),
    questions: z.array(
      z.object({
        parameter: z.enum(ANSWER_NAMES),
        question: z.string(),
        choices: z.array(
          z.object({
            parameter: z.enum(ANSWER_NAMES),
            value: z.string(),
            query: z.string().meta({
              description:
                "what to add to the query, encoded; values of several `columns` are joined by commas",
            }),
            means: z.string(),
          }),
        ),
        otherwise: z.string().nullable(),
      }),
    ),
    refused: z.object({
      total: z.number().int().meta({ description: "rows; the first hundred fields are listed" }),
      rows: z.array(
        z.object({ ...place, field: z.string(), value: z.string(), reason: z.string() }),
      ),
    }),
    skipped: z.object({
      total: z.number().int(),
      rows: z.array(z.object({ line: z.number().int().nullable(), reason: z.string() })),
    }),
    notes: z.array(z.string()),
  })
  .meta({ id: "ImportPreview" });

export const importPreview = router();

importPreview.openapi(
  createRoute({
    method: "post",
    path: "/assets/{symbol}/bars/preview",
    summary: "What a CSV file would be understood as; nothing is stored",
    description: `${IMPORT_FORMS} Whatever can be read in two ways is a question, and each of its choices says the query parameter that answers it, here and at \`POST …/bars\`.`,
    tags: ["Market data"],
    security: [{ apiKey: ["assets:write"] }],
    middleware: [requires("assets:write"), preconditions(false), idempotency(undefined)] as const,
    request: {
      params: symbolParams,
      query: importQuery,
      body: {
        required: true,
        content: { "text/csv": { schema: z.string(), example: CSV_EXAMPLE } },
      },
    },
    responses: {
      200: { description: "Done", content: { "application/json": { schema: previewView } } },
      default: {
        description: "A problem (RFC 9457)",
        content: { "application/problem+json": { schema: problemSchema } },
      },
    },
  }),
  async (c) => {
    const { symbol } = c.req.valid("param");
    if (contentTypeOf(c.req) !== "text/csv") {
      throw new ApiProblem(
        "unsupported_media_type",
        "Send text/csv: JSON says by itself what it means.",
      );
    }
    const { calendar, currency } = await requireAsset(c.env.DB, symbol);
    if (!isCalendarId(calendar)) throw new Error(`${symbol} has the calendar ${calendar}`);
    const { encoding, understood } = await understandCsv(c.req, c.req.valid("query"), {
      calendar,
      currency,
    });
    if (understood.problems.length > 0) {
      const items = understood.problems.map((reason) => ({ field: "file", reason }));
      throw new ApiProblem("validation_failed", understood.problems.join("; "), items);
    }
    return c.json({ symbol, ...shown(understood, encoding, calendar, c.env.api.now()) }, 200);
  },
);

function shown(
  understood: Understanding,
  encoding: string,
  calendar: CalendarId,
  now: number,
): Omit<z.infer<typeof previewView>, "symbol"> {
  const { recognised, questions, bars } = understood;
  const { resolution } = recognised;
  const keyOf = (instant: number): number => barKey(resolution, calendar, instant);
  const checked = checkBars(bars, { now, resolution, keyOf });
  const refused = refusedOf(understood, checked);
  const stored = checked.ok ? bars.slice(0, SHOWN_ROWS) : [];
  return {
    ready: questions.length === 0 && refused.total === 0,
    recognised: {
      ...recognised,
      columns: { ...recognised.columns },
      encoding,
      ...listsOf(recognised),
    },
    rows: understood.rows,
    bars: stored.map(({ row, line, bar }) => ({
      row,
      line,
      ...bar,
      timestamp: iso(keyOf(bar.timestamp)),
    })),
    questions: questions.map((question) => ({
      ...question,
      choices: question.choices.map((choice) => ({ ...choice, query: asQuery(choice) })),
    })),
    refused: { total: refused.total, rows: [...refused.rows] },
    skipped: { total: understood.skippedTotal, rows: [...understood.skipped] },
    notes: [...understood.notes],
  };
}

const listsOf = ({ thousands, currencySigns, volumeSuffixes }: Understanding["recognised"]) => ({
  thousands: [...thousands],
  currencySigns: [...currencySigns],
  volumeSuffixes: [...volumeSuffixes],
});

/**
 * Rows that cannot be read, or if all can, those that no bar can be; the job stops at the same
 * place.
 */
const refusedOf = (understood: Understanding, checked: BarsCheck) => {
  if (understood.refusedTotal > 0 || checked.ok)
    return { total: understood.refusedTotal, rows: understood.refused };
  return { total: checked.total, rows: checked.errors };
};
