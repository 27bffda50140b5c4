import * as z from "zod";
import { iso } from "../domain/iso.ts";
import type { Resolution } from "../domain/market/resolution.ts";
import { refusal } from "./price-source.ts";
import { coinbaseProduct } from "./symbols.ts";
import { addressOf, malformed, unaddressed, unserved, type Vendor } from "./vendor.ts";
import { firstWindow, isIntraday, PERIOD_MS } from "./window.ts";

/** The exchange opened in January 2015. */
const EARLIEST = Date.UTC(2015, 0, 1);
const CANDLES = 300;
/** Shorter bars are requested no further back than forty requests reach. */
const INTRADAY_REQUESTS = 40;

const GRANULARITY: Readonly<Partial<Record<Resolution, number>>> = {
  "1m": 60,
  "5m": 300,
  "15m": 900,
  "1h": 3_600,
  "1d": 86_400,
};

/** Seconds, then low, high, open, close, volume: in this order. */
const candle = z.tuple([z.number(), z.number(), z.number(), z.number(), z.number(), z.number()]);

const complaint = z.object({ message: z.string() });

/**
 * Coinbase Exchange candles: newest first, a bucket without a trade is missing, at most 300 a
 * request, and sometimes some from before the requested time, which the window leaves out.
 */
export const COINBASE: Vendor = {
  name: "coinbase",
  gapMs: 150,
  limits: "10 requests a second without a key; 300 candles a request",
  needsKey: false,
  question: (request, { baseUrl, now }) => {
    const { resolution } = request;
    const granularity = GRANULARITY[resolution];
    if (granularity === undefined) return unserved("coinbase", `bars of ${resolution}`);
    const product = coinbaseProduct(request);
    if (product === null)
      return unserved("coinbase", `the ${request.type} symbol ${request.symbol}`);
    const span = CANDLES * PERIOD_MS[resolution];
    const depth = isIntraday(resolution) ? now - INTRADAY_REQUESTS * span : EARLIEST;
    const window = firstWindow(request, Math.max(EARLIEST, depth), span);
    if (window === null)
      return refusal("NoData", `coinbase has no ${resolution} bars of that time`);
    const url = addressOf(baseUrl, `/products/${encodeURIComponent(product)}/candles`, {
      granularity: String(granularity),
      start: iso(window.from),
      end: iso(window.to),
    });
    return url === null ? unaddressed("coinbase") : { url, window };
  },
  // Its status decides; of the bodies {"message": …} only that of an unknown product adds anything.
  trouble: (body, status) =>
    status === 404 && complaint.safeParse(body).success
      ? refusal("UnknownSymbol", "coinbase does not know the product")
      : null,
  rows: (body) => {
    const parsed = z.array(candle).safeParse(body);
    if (!parsed.success) return malformed("coinbase");
    if (parsed.data.length === 0) return "nothing";
    return {
      rows: parsed.data.map(([seconds, low, high, open, close, volume]) => ({
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
