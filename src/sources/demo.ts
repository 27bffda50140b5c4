import * as z from "zod";
import type { Bar } from "../domain/asset/bar.ts";
import { isoDay } from "../domain/iso.ts";
import { DEMO_SECOND } from "../domain/market/demo-catalogue.ts";
import { readBoundedJson } from "./bounded-json.ts";
import { failureOfError, failureOfStatus } from "./http-failure.ts";
import type { HistoryRequest, PriceSource, SourceAnswer, SourceFailure } from "./price-source.ts";

export interface DemoSourceOptions {
  /** Where the demo server listens; empty when the demo is off. */
  readonly baseUrl: string;
  readonly fetch: typeof globalThis.fetch;
  readonly timeoutMs: number;
  /** True to ask its second source for the series instead. */
  readonly second?: boolean;
}

const DAY = 86_400_000;

/** Dates have four digits here; no demo series comes near either end. */
const EARLIEST = Date.UTC(1900, 0, 1);
const LATEST = Date.UTC(2200, 0, 1);

/** Some 60,000 bars: an answer of the demo server has at most 5,000. */
const MAX_BODY_BYTES = 8 * 1_048_576;

const price = z.number().positive();
const date = z.iso.date().transform((text) => Date.parse(text));

const demoBar = z
  .object({
    date,
    open: price.nullable(),
    high: price.nullable(),
    low: price.nullable(),
    close: price,
    volume: z.number().nonnegative().nullable(),
  })
  .refine(
    ({ open, high, low }) =>
      (open === null) === (high === null) && (high === null) === (low === null),
  );

const demoAnswer = z.object({
  symbol: z.string(),
  resolution: z.string(),
  source: z.enum(["demo", "synthetic", DEMO_SECOND]),
  bars: z.array(demoBar),
  actions: z
    .array(
      z.discriminatedUnion("type", [
        z.object({ type: z.literal("dividend"), exDate: date, amount: price }),
        z.object({ type: z.literal("split"), exDate: date, numerator: price, denominator: price }),
      ]),
    )
    .optional(),
  next: date.nullable(),
});

/**
 * The demo server as a price source: real and invented series for a laptop, refused in a deployed
 * environment.
 */
export const demoSource = ({
  baseUrl,
  fetch,
  timeoutMs,
  second = false,
}: DemoSourceOptions): PriceSource => ({
  name: second ? DEMO_SECOND : "demo",
  history: async (request) => {
    const url = seriesUrl(baseUrl, second ? "second" : "series", request);
    if (!(url instanceof URL)) return url;
    const timeout = AbortSignal.timeout(timeoutMs);
    const signal =
      request.signal === undefined ? timeout : AbortSignal.any([timeout, request.signal]);
    try {
      const response = await fetch(url, {
        signal,
        redirect: "manual",
        headers: { accept: "application/json" },
      });
      if (response.ok) {
        const answer = await readAnswer(response, request);
        return second && answer.outcome === "bars" ? { ...answer, note: SECOND_NOTE } : answer;
      }
      await response.body?.cancel();
      return failureOfStatus(response);
    } catch (error) {
      return failureOfError(error);
    }
  },
});

const SECOND_NOTE =
  "demo-second is the demo's own series with invented mistakes in it, to show what a check finds; it is no independent source";

const readAnswer = async (response: Response, request: HistoryRequest): Promise<SourceAnswer> => {
  const json = await readBoundedJson(response, MAX_BODY_BYTES);
  if (!json.ok) return malformed(json.reason);
  const parsed = demoAnswer.safeParse(json.value);
  if (!parsed.success)
    return malformed(`the answer has another shape at ${shapeProblem(parsed.error)}`);
  const { symbol, resolution, source, next, actions } = parsed.data;
  if (symbol !== request.symbol || resolution !== request.resolution)
    return malformed("the answer is another series");
  const bars: Bar[] = parsed.data.bars.map(({ date: timestamp, ...values }) => ({
    timestamp,
    ...values,
  }));
  if (!isOrdered(bars, request))
    return malformed("the bars are out of order or outside the period asked for");
  if (next !== null && next <= (bars.at(-1)?.timestamp ?? next))
    return malformed("the next page does not come after this one");
  return bars.length === 0
    ? noData("the series has no bar in this period")
    : { outcome: "bars", bars, source, next, ...(actions === undefined ? {} : { actions }) };
};

/**
 * A repeated or wandering date would otherwise become a revision of a bar that was never revised.
 */
const isOrdered = (bars: readonly Bar[], { from, to }: HistoryRequest): boolean => {
  let minimum = from;
  for (const { timestamp } of bars) {
    if (timestamp < minimum || timestamp > to) return false;
    minimum = timestamp + 1;
  }
  return true;
};

const shapeProblem = (error: z.ZodError): string => {
  const path = error.issues[0]?.path.join(".") ?? "";
  return path === "" ? "its root" : path;
};

const malformed = (detail: string): SourceFailure => ({ outcome: "MalformedPayload", detail });
const noData = (detail: string): SourceFailure => ({ outcome: "NoData", detail });

/**
 * The request's URL, or the reason why there is none. Whole days only: a day belongs if its 00:00
 * UTC does.
 */
const seriesUrl = (
  baseUrl: string,
  which: "series" | "second",
  { symbol, resolution, from, to }: HistoryRequest,
): URL | SourceFailure => {
  if (!URL.canParse(baseUrl))
    return { outcome: "NotConfigured", detail: "the demo source has no address" };
  const first = Math.ceil(Math.max(from, EARLIEST) / DAY) * DAY;
  const last = Math.floor(Math.min(to, LATEST) / DAY) * DAY;
  if (!(first <= last)) return noData("no day lies in the period asked for");
  const url = new URL(`/${which}/${encodeURIComponent(symbol)}/${resolution}`, baseUrl);
  url.searchParams.set("from", isoDay(first));
  url.searchParams.set("to", isoDay(last));
  return url;
};
