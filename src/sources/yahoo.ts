import * as z from "zod";
import { barKey } from "../domain/market/bar-key.ts";
import { MILLISECONDS_PER_DAY } from "../domain/market/calendar-day.ts";
import type { Resolution } from "../domain/market/resolution.ts";
import { datesOnExchangeClock } from "./exchange-clock.ts";
import { type HistoryRequest, refusal, type SourceFailure } from "./price-source.ts";
import { divisorOf, yahooSymbol } from "./symbols.ts";
import {
  addressOf,
  malformed,
  type Question,
  unaddressed,
  unserved,
  type Vendor,
} from "./vendor.ts";
import type { ReportedAction } from "./vendor-actions.ts";
import type { StampedBar } from "./vendor-bars.ts";
import { firstWindow, isIntraday, PERIOD_MS } from "./window.ts";

const DAYS = MILLISECONDS_PER_DAY;
const TEN_YEARS = 3_650 * DAYS;
/** No exchange that Yahoo carries has older bars. */
const EARLIEST = Date.UTC(1962, 0, 1);

interface Interval {
  readonly name: string;
  /** Depth of its history; null for the whole history. */
  readonly depth: number | null;
  /** Max span of one request. Long ranges of days come truncated. */
  readonly span: number;
}

const INTERVALS: Readonly<Partial<Record<Resolution, Interval>>> = {
  "1m": { name: "1m", depth: 29 * DAYS, span: 7 * DAYS },
  "5m": { name: "5m", depth: 58 * DAYS, span: 58 * DAYS },
  "15m": { name: "15m", depth: 58 * DAYS, span: 58 * DAYS },
  "30m": { name: "30m", depth: 58 * DAYS, span: 58 * DAYS },
  "1h": { name: "1h", depth: 728 * DAYS, span: 728 * DAYS },
  "1d": { name: "1d", depth: null, span: TEN_YEARS },
  "1w": { name: "1wk", depth: null, span: TEN_YEARS },
  "1mo": { name: "1mo", depth: null, span: TEN_YEARS },
};

const column = z.array(z.number().nullable());

const chart = z.object({
  chart: z.object({
    result: z
      .array(
        z.object({
          meta: z.object({
            currency: z.string().nullish(),
            symbol: z.string(),
            exchangeName: z.string().nullish().catch(null),
            exchangeTimezoneName: z.string().nullish().catch(null),
          }),
          timestamp: z.array(z.number()).nullish(),
          indicators: z.object({
            quote: z.array(
              z.object({
                open: column.nullish(),
                high: column.nullish(),
                low: column.nullish(),
                close: column.nullish(),
                volume: column.nullish(),
              }),
            ),
          }),
          events: z.unknown().optional(),
        }),
      )
      .min(1),
  }),
});

/** Each entry is parsed separately: a broken one costs neither the others nor the bars. */
const happenings = z.record(z.string(), z.unknown());
const dividend = z.object({ date: z.number(), amount: z.number() });
const split = z.object({ date: z.number(), numerator: z.number(), denominator: z.number() });

const reported = z.object({
  error: z.object({ code: z.string(), description: z.string().nullish() }),
});
/** The service in front of the charts answers in its own name. */
const chartError = z.union([
  z.object({ chart: reported }).transform(({ chart }) => chart.error),
  z.object({ finance: reported }).transform(({ finance }) => finance.error),
]);

/**
 * Yahoo's chart v8, without a key and without a promise. Prices and dividends are adjusted for
 * splits, prices not for dividends; both are in the money of the quote, so pence are pence in
 * either. A day is stamped with its session's open, a week and a month with its first midnight, on
 * the exchange's own clock, which the answer names; a closed range comes as a result without
 * timestamps.
 */
export const YAHOO: Vendor = {
  name: "yahoo",
  gapMs: 250,
  limits:
    "unofficial; 429 by address and User-Agent; 1m reaches 29 days back, 5m to 30m 58, 1h 728",
  needsKey: false,
  question: (request, { baseUrl, now }): Question | SourceFailure => {
    const { resolution } = request;
    const interval = INTERVALS[resolution];
    if (interval === undefined) return unserved("yahoo", `bars of ${resolution}`);
    const symbol = yahooSymbol(request);
    if (symbol === null) return unserved("yahoo", `the ${request.type} symbol ${request.symbol}`);
    const earliest = interval.depth === null ? EARLIEST : now - interval.depth;
    const window = firstWindow(request, earliest, interval.span);
    if (window === null) return refusal("NoData", `yahoo has no ${resolution} bars of that time`);
    // The stamp of a day is anywhere between the evening before and its own end; a week and a month
    // are requested whole.
    const margin = isIntraday(resolution) ? 0 : DAYS;
    const from = Math.max(window.from - margin, earliest);
    const to = window.to + (isIntraday(resolution) ? 1000 : PERIOD_MS[resolution] + margin);
    const url = addressOf(baseUrl, `/v8/finance/chart/${encodeURIComponent(symbol)}`, {
      period1: String(Math.floor(from / 1000)),
      period2: String(Math.ceil(to / 1000)),
      interval: interval.name,
      events: "div|split",
    });
    return url === null ? unaddressed("yahoo") : { url, window };
  },
  trouble: (body) => {
    const parsed = chartError.safeParse(body);
    if (!parsed.success) return null;
    const { code, description } = parsed.data;
    // For a known symbol it reports that there are no data of that range.
    if (/^Data doesn't exist|range must be within|for this date range/i.test(description ?? ""))
      return "nothing";
    switch (code.toLowerCase()) {
      case "not found":
        return refusal("UnknownSymbol", "yahoo does not know the symbol");
      case "too many requests":
        return refusal("RateLimited", "yahoo says that we ask too often");
      case "unauthorized":
        return refusal("NotConfigured", "yahoo does not serve us");
      case "internal server error":
      case "internal-error":
      case "service unavailable":
        return refusal("Unavailable", "yahoo says that it is out of order");
      default:
        return refusal("MalformedPayload", "yahoo did not take the question");
    }
  },
  rows: (body, request) => {
    const parsed = chart.safeParse(body);
    const result = parsed.success ? parsed.data.chart.result[0] : undefined;
    if (result === undefined) return malformed("yahoo");
    const { meta, timestamp, indicators, events } = result;
    if (meta.symbol.toUpperCase() !== yahooSymbol(request))
      return refusal("NotConfigured", `yahoo answers ${request.symbol} with another symbol`);
    const stamps = timestamp ?? [];
    const quote = indicators.quote[0];
    if (stamps.length === 0 || quote === undefined)
      return meta.exchangeName === DELISTED
        ? refusal("Delisted", "yahoo lists the symbol no more")
        : "nothing";
    const divisor = request.type === "FX" ? 1 : divisorOf(meta.currency ?? "", request.currency);
    if (divisor === null) {
      const detail = `yahoo does not quote ${request.symbol} in ${request.currency}, the asset's currency`;
      return refusal("NotConfigured", detail);
    }
    const { open, high, low, close, volume } = quote;
    const columns = [open, high, low, close, volume];
    if (columns.some((values) => values?.length !== stamps.length))
      return malformed("yahoo", "quote");
    const at = (values: readonly (number | null)[] | null | undefined, index: number) =>
      values?.[index] ?? null;
    const zone = meta.exchangeTimezoneName ?? null;
    const instants = stamps.map((stamp) => stamp * 1000);
    const dated = isIntraday(request.resolution)
      ? (instant: number) => instant
      : datesOnExchangeClock(instants, zone, request.calendar);
    const rows = instants.flatMap((instant, index) => {
      const prices = [open, high, low, close].map((values) => at(values, index));
      return rowOf(
        dated(instant),
        prices,
        request.type === "FX" ? null : at(volume, index),
        divisor,
      );
    });
    return { rows, actions: actionsIn(events, request, zone, divisor) };
  },
};

/** Yahoo's exchange for delisted symbols. */
const DELISTED = "YHD";

/** Dividends and splits, stamped with their ex-date; null for each unreadable one. */
function actionsIn(
  events: unknown,
  { calendar }: HistoryRequest,
  zone: string | null,
  divisor: number,
): ReportedAction[] {
  if (events === null || events === undefined) return [];
  const kinds = happenings.safeParse(events);
  if (!kinds.success) return [null];
  const entriesOf = (name: string): unknown[] => {
    const entries = happenings.safeParse(kinds.data[name] ?? {});
    return entries.success ? Object.values(entries.data) : [null];
  };
  const dividends = entriesOf("dividends").map((entry) => dividend.safeParse(entry).data);
  const splits = entriesOf("splits").map((entry) => split.safeParse(entry).data);
  const stamps = [...dividends, ...splits].flatMap((one) =>
    one === undefined ? [] : [one.date * 1000],
  );
  const dated = datesOnExchangeClock(stamps, zone, calendar);
  const dayOf = (stamp: number): number =>
    isDatable({ timestamp: stamp * 1000 })
      ? barKey("1d", calendar, dated(stamp * 1000))
      : Number.NaN;
  return [
    ...dividends.map((data): ReportedAction => {
      if (data === undefined) return null;
      return { type: "dividend", exDate: dayOf(data.date), amount: data.amount / divisor };
    }),
    ...splits.map((data): ReportedAction => {
      if (data === undefined) return null;
      const { date, numerator, denominator } = data;
      return { type: "split", exDate: dayOf(date), numerator, denominator };
    }),
  ];
}

/**
 * A row with a gap is none: no trade, or a value that is not known yet. Very old rows have zeros
 * where an open was never recorded; of those the close is good and the range unknown.
 */
function rowOf(
  timestamp: number,
  [open, high, low, close]: readonly (number | null)[],
  volume: number | null,
  divisor: number,
): StampedBar[] {
  if (open == null || high == null || low == null || close == null || close === 0) return [];
  if (open === 0 || high === 0 || low === 0)
    return [{ timestamp, open: null, high: null, low: null, close: close / divisor, volume }];
  return [
    {
      timestamp,
      open: open / divisor,
      high: high / divisor,
      low: low / divisor,
      close: close / divisor,
      volume,
    },
  ];
}

/** True within the years of a date; other rows are refused later, with the rest. */
const isDatable = ({ timestamp }: Pick<StampedBar, "timestamp">): boolean =>
  Math.abs(timestamp) < Date.UTC(2200, 0, 1);
