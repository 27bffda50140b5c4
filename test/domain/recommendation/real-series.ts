import { appleStock, bitcoinPrice } from "@visx/mock-data";
import type { Bar } from "../../../src/domain/asset/bar.ts";

const closeOnly = (time: string, close: number): Bar => ({
  timestamp: Date.parse(time),
  open: null,
  high: null,
  low: null,
  close,
  volume: null,
});

/** AAPL daily closes 2007–2012, oldest first. */
export const apple = (): Bar[] =>
  appleStock
    .map(({ date, close }) => closeOnly(date, close))
    .toSorted((a, b) => a.timestamp - b.timestamp);

/** BTC-USD daily closes 2016-07 to 2017-07, oldest first. */
export const bitcoin = (): Bar[] =>
  bitcoinPrice.prices
    .map(({ time, price }) => closeOnly(time, Number(price)))
    .toSorted((a, b) => a.timestamp - b.timestamp);
