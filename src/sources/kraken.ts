import * as z from "zod";
import type { Resolution } from "../domain/market/resolution.ts";
import { decimal } from "./decimal.ts";
import { refusal, type SourceRefusal } from "./price-source.ts";
import { krakenPair } from "./symbols.ts";
import { addressOf, malformed, unaddressed, unserved, type Vendor } from "./vendor.ts";
import { firstWindow, PERIOD_MS } from "./window.ts";

/**
 * Its weeks and half months are cut where ours are not, so only resolutions that divide a day are
 * requested.
 */
const MINUTES: Readonly<Partial<Record<Resolution, number>>> = {
  "1m": 1,
  "5m": 5,
  "15m": 15,
  "30m": 30,
  "1h": 60,
  "4h": 240,
  "1d": 1_440,
};

/** Never more, however long ago one asks to begin. The last of them is the candle still open. */
const ROWS = 720;
export const KRAKEN_NOTE =
  "kraken tells the last 720 periods only; older bars are not to be had there";

const answer = z.object({
  error: z.array(z.string()),
  result: z.record(z.string(), z.unknown()).nullish(),
});

/** Seconds, open, high, low, close, volume-weighted price, volume, number of trades. */
const row = z.tuple([z.number(), decimal, decimal, decimal, decimal, decimal, decimal, z.number()]);

const MEANINGS: readonly (readonly [RegExp, SourceRefusal, string])[] = [
  [/^EQuery:(?:Unknown|Invalid) asset pair/, "UnknownSymbol", "kraken does not know the pair"],
  [
    /Too many requests|Rate limit|Temporary lockout/i,
    "RateLimited",
    "kraken says that we ask too often",
  ],
  [/^EService:|Internal error/i, "Unavailable", "kraken says that it is out of order"],
  [/Permission denied|Invalid key/i, "NotConfigured", "kraken does not serve us"],
];

/** Kraken's OHLC: errors come with status 200, and the result has a name of Kraken's own. */
export const KRAKEN: Vendor = {
  name: "kraken",
  gapMs: 1_000,
  limits: "about one request a second; 720 rows and no older ones",
  needsKey: false,
  question: (request, { baseUrl, now }) => {
    const { resolution } = request;
    const minutes = MINUTES[resolution];
    if (minutes === undefined) return unserved("kraken", `bars of ${resolution}`);
    const pair = krakenPair(request);
    if (pair === null) return unserved("kraken", `the ${request.type} symbol ${request.symbol}`);
    const period = PERIOD_MS[resolution];
    const earliest = (Math.floor(now / period) - ROWS + 1) * period;
    const window = firstWindow(request, earliest, ROWS * period);
    if (window === null) return refusal("NoData", KRAKEN_NOTE);
    const url = addressOf(baseUrl, "/0/public/OHLC", {
      pair,
      interval: String(minutes),
      // The bar at `since` itself may be left out.
      since: String(Math.floor(window.from / 1000) - 1),
    });
    if (url === null) return unaddressed("kraken");
    return { url, window, ...(request.from < earliest ? { note: KRAKEN_NOTE } : {}) };
  },
  trouble: (body) => {
    const parsed = answer.safeParse(body);
    // A W before the colon is a warning with a good answer.
    const errors = parsed.success ? parsed.data.error.filter((text) => !text.startsWith("W")) : [];
    if (errors.length === 0) return null;
    for (const [pattern, outcome, detail] of MEANINGS) {
      if (errors.some((text) => pattern.test(text))) return refusal(outcome, detail);
    }
    return refusal("MalformedPayload", "kraken did not take the question");
  },
  rows: (body) => {
    const parsed = answer.safeParse(body);
    if (!parsed.success) return malformed("kraken");
    const { last, ...series } = parsed.data.result ?? {};
    const [candles, ...others] = Object.values(series);
    if (candles === undefined || others.length > 0) return malformed("kraken", "result");
    const rows = z.array(row).safeParse(candles);
    if (!rows.success) return malformed("kraken", "result");
    const committed = typeof last === "number" ? last : Number.POSITIVE_INFINITY;
    const traded = rows.data.filter(
      ([seconds, , , , , , , trades]) => seconds <= committed && trades > 0,
    );
    if (traded.length === 0) return "nothing";
    return {
      rows: traded.map(([seconds, open, high, low, close, , volume]) => ({
        timestamp: seconds * 1000,
        open,
        high,
        low,
        close,
        volume,
      })),
    };
  },
};
