import * as z from "zod";
import { isoDay } from "../domain/iso.ts";
import { MILLISECONDS_PER_DAY } from "../domain/market/calendar-day.ts";
import { refusal } from "./price-source.ts";
import { frankfurterPair } from "./symbols.ts";
import { addressOf, malformed, unaddressed, unserved, type Vendor } from "./vendor.ts";
import { firstWindow } from "./window.ts";

/** The first reference rates of the ECB. */
const EARLIEST = Date.UTC(1999, 0, 4);
const TEN_YEARS = 3_650 * MILLISECONDS_PER_DAY;

const range = z.object({
  amount: z.literal(1).nullish(),
  base: z.string(),
  rates: z.record(z.iso.date(), z.record(z.string(), z.number())),
});

/**
 * The reference rates of the European Central Bank, by Frankfurter v1, which carries no other. One
 * rate a working day and no range: open, high and low are null. A range begins at the last rate at
 * or before its start; the window leaves that one out.
 */
export const FRANKFURTER: Vendor = {
  name: "frankfurter",
  gapMs: 200,
  limits: "none stated; can be hosted by oneself (FRANKFURTER_URL)",
  needsKey: false,
  question: (request, { baseUrl }) => {
    if (request.resolution !== "1d")
      return unserved("frankfurter", `bars of ${request.resolution}`);
    const pair = frankfurterPair(request);
    if (pair === null)
      return unserved("frankfurter", `the ${request.type} symbol ${request.symbol}`);
    const window = firstWindow(request, EARLIEST, TEN_YEARS);
    if (window === null) return refusal("NoData", "frankfurter has no rates of that time");
    const url = addressOf(baseUrl, `/v1/${isoDay(window.from)}..${isoDay(window.to)}`, {
      base: pair.base,
      symbols: pair.quote,
    });
    return url === null ? unaddressed("frankfurter") : { url, window };
  },
  // {"message": "not found"} is an unknown currency, or a range without a rate.
  trouble: (body, status, _now, request) => {
    if ((status !== 404 && status !== 422) || !complaint.safeParse(body).success) return null;
    const pair = frankfurterPair(request);
    const isQuoted = pair !== null && QUOTED.has(pair.base) && QUOTED.has(pair.quote);
    if (isQuoted) return status === 404 ? "nothing" : null;
    return refusal("UnknownSymbol", "frankfurter does not know the currencies");
  },
  rows: (body, request) => {
    const pair = frankfurterPair(request);
    const parsed = range.safeParse(body);
    if (!parsed.success || pair === null || parsed.data.base !== pair.base)
      return malformed("frankfurter");
    const days = Object.entries(parsed.data.rates);
    if (days.length === 0) return "nothing";
    const rows = days.flatMap(([date, rates]) => {
      const close = Object.hasOwn(rates, pair.quote) ? rates[pair.quote] : undefined;
      return close === undefined
        ? []
        : [{ timestamp: Date.parse(date), ...NO_RANGE, close, volume: null }];
    });
    return rows.length === days.length ? { rows } : malformed("frankfurter", "rates");
  },
};

const complaint = z.object({ message: z.string() });

/**
 * Every currency that the ECB has a reference rate of, or had one until the euro or a war took it.
 */
const QUOTED: ReadonlySet<string> = new Set(
  (
    "AUD BGN BRL CAD CHF CNY CYP CZK DKK EEK EUR GBP HKD HRK HUF IDR ILS INR ISK JPY KRW LTL LVL MTL MXN MYR NOK " +
    "NZD PHP PLN ROL RON RUB SEK SGD SIT SKK THB TRL TRY USD ZAR"
  ).split(" "),
);

const NO_RANGE = { open: null, high: null, low: null } as const;
