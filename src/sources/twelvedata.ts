import * as z from "zod";
import { iso, isoDay } from "../domain/iso.ts";
import { MILLISECONDS_PER_DAY } from "../domain/market/calendar-day.ts";
import type { CalendarId } from "../domain/market/calendar-id.ts";
import type { Resolution } from "../domain/market/resolution.ts";
import { decimal } from "./decimal.ts";
import { refusal, type SourceFailure } from "./price-source.ts";
import { divisorOf, twelveDataSymbol } from "./symbols.ts";
import { addressOf, malformed, unaddressed, unserved, type Vendor } from "./vendor.ts";
import { firstWindow, isIntraday, PERIOD_MS } from "./window.ts";

const EARLIEST = Date.UTC(1980, 0, 1);
/**
 * Max values a request, and never more than the requested periods, whether the market was open or
 * not.
 */
const VALUES = 5_000;
const INTRADAY_REQUESTS = 4;
const MINUTE = 60_000;

const INTERVALS: Readonly<Record<Resolution, string>> = {
  "1m": "1min",
  "5m": "5min",
  "15m": "15min",
  "30m": "30min",
  "1h": "1h",
  "4h": "4h",
  "1d": "1day",
  "1w": "1week",
  "1mo": "1month",
};

/** The market identifier code, where a symbol alone means another market's listing. */
const MARKETS: Readonly<Partial<Record<CalendarId, string>>> = { XLON: "XLON", XMAD: "XMAD" };

/** A date, or a time of the requested zone, which is UTC. */
const stamp = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}(?: \d{2}:\d{2}:\d{2})?$/)
  .transform((text) => Date.parse(text.length === 10 ? text : `${text.replace(" ", "T")}Z`))
  .pipe(z.number());

const series = z.object({
  meta: z.object({ symbol: z.string(), currency: z.string().nullish() }),
  values: z.array(
    z.object({
      datetime: stamp,
      open: decimal,
      high: decimal,
      low: decimal,
      close: decimal,
      volume: decimal.nullish(),
    }),
  ),
});

const error = z.object({
  status: z.literal("error"),
  code: z.number(),
  message: z.string().nullish(),
});

/**
 * Twelve Data's time series: newest first, numbers as text, troubles in the body under any status.
 */
export const TWELVE_DATA: Vendor = {
  name: "twelvedata",
  gapMs: 7_500,
  limits: "free: 8 credits a minute, 800 a day; 5,000 values a request",
  needsKey: true,
  question: (request, { baseUrl, key, now }) => {
    const { resolution } = request;
    if (key === "") return refusal("NotConfigured", "twelvedata needs TWELVE_DATA_API_KEY");
    const symbol = twelveDataSymbol(request);
    if (symbol === null)
      return unserved("twelvedata", `the ${request.type} symbol ${request.symbol}`);
    const span = VALUES * PERIOD_MS[resolution];
    const depth = isIntraday(resolution) ? now - INTRADAY_REQUESTS * span : EARLIEST;
    const window = firstWindow(request, Math.max(EARLIEST, depth), span);
    if (window === null)
      return refusal("NoData", `twelvedata has no ${resolution} bars of that time`);
    const market = request.type === "STOCK" ? MARKETS[request.calendar] : undefined;
    const url = addressOf(baseUrl, "/time_series", {
      symbol,
      interval: INTERVALS[resolution],
      ...(market === undefined ? {} : { mic_code: market }),
      start_date: isIntraday(resolution) ? timeOf(window.from) : isoDay(window.from),
      // It is undocumented whether a date as an end is its first moment or its last; the window
      // cuts the rest.
      end_date: isIntraday(resolution)
        ? timeOf(window.to)
        : isoDay(window.to + MILLISECONDS_PER_DAY),
      ...(isIntraday(resolution) ? { timezone: "UTC" } : {}),
    });
    // In a header, so that no log of addresses has it.
    const headers = { authorization: `apikey ${key}` };
    return url === null ? unaddressed("twelvedata") : { url, window, headers };
  },
  trouble: (body, _status, now) => {
    const parsed = error.safeParse(body);
    if (!parsed.success) return null;
    const { code, message } = parsed.data;
    const text = message ?? "";
    if (code === 429) return limited(text, now);
    if (/no data is available/i.test(text)) return "nothing";
    if (/available (?:starting|exclusively|only)|upgrad/i.test(text))
      return refusal("NotConfigured", "twelvedata does not serve this to the plan of the key");
    // It came with 400 before it came with 404.
    if (
      code === 404 ||
      (code === 400 && /symbol\W.{0,200}(?:not found|missing or invalid)/i.test(text))
    )
      return refusal("UnknownSymbol", "twelvedata does not know the symbol");
    if (code === 401 || code === 403)
      return refusal("NotConfigured", "twelvedata does not take the key");
    if (code >= 500) return refusal("Unavailable", "twelvedata says that it is out of order");
    return refusal("MalformedPayload", "twelvedata did not take the question");
  },
  rows: (body, request) => {
    const parsed = series.safeParse(body);
    if (!parsed.success) return malformed("twelvedata");
    const { meta, values } = parsed.data;
    if (meta.symbol !== twelveDataSymbol(request))
      return refusal("NotConfigured", `twelvedata answers ${request.symbol} with another symbol`);
    if (values.length === 0) return "nothing";
    const divisor = request.type === "STOCK" ? divisorOf(meta.currency ?? "", request.currency) : 1;
    if (divisor === null) {
      const detail = `twelvedata does not quote ${request.symbol} in ${request.currency}, the asset's currency`;
      return refusal("NotConfigured", detail);
    }
    return {
      rows: values.map(({ datetime, open, high, low, close, volume }) => ({
        // Of days and longer only the date counts, at whatever hour of its exchange it is written.
        timestamp: isIntraday(request.resolution)
          ? datetime
          : datetime - (datetime % MILLISECONDS_PER_DAY),
        open: open / divisor,
        high: high / divisor,
        low: low / divisor,
        close: close / divisor,
        volume: request.type === "FX" ? null : (volume ?? null),
      })),
    };
  },
};

/** The credits of a day come back at midnight UTC, those of a minute at the next one. */
function limited(message: string, now: number): SourceFailure {
  const daily = /for the day|daily/i.test(message);
  const period = daily ? MILLISECONDS_PER_DAY : MINUTE;
  const retryAfterSeconds = Math.max(1, Math.ceil((period - (now % period)) / 1000));
  const detail = `the credits of twelvedata for the ${daily ? "day" : "minute"} are used up`;
  return { ...refusal("RateLimited", detail), retryAfterSeconds };
}

const timeOf = (instant: number): string => iso(instant).slice(0, 19).replace("T", " ");
