import { env } from "cloudflare:workers";
import type { Bar } from "../../../src/domain/asset/bar.ts";
import { api } from "./api.ts";
import { Broker } from "./broker.ts";
import { DAY, enqueueImport, openAsset, stopClock } from "./market.ts";
import { openSeries, wave } from "./portfolio-market.ts";

/* Three assets with opens of their own, one with a short history, and backtests of portfolios of them. */

export const SYMBOLS = ["PBA", "PBB", "PBC"];
export const FEW = {
  kind: "portfolio",
  symbols: SYMBOLS,
  method: "minVolatility",
  lookback: 40,
  rebalanceEvery: 10,
};
export const QUICK = { shuffles: 2, bootstraps: 20 };
export const OVERDUE = Number(env.SWEEP_AFTER_SECONDS) + 1;

export async function openMarket(): Promise<Broker> {
  stopClock();
  const broker = new Broker();
  // Opens of their own, half a unit below the close.
  for (const [index, symbol] of SYMBOLS.entries()) {
    await openAsset(symbol);
    const bars = wave(index + 1, 160).map((close, day): Bar => {
      const [open, timestamp] = [close - 0.5 + index / 4, Date.UTC(2020, 0, 1) + day * DAY];
      return { timestamp, open, high: close + 2, low: close - 2, close, volume: 10 };
    });
    broker.put("INGEST_QUEUE", await enqueueImport(symbol, "history", bars));
  }
  await broker.settle();
  await openSeries(broker, { PBSHORT: wave(4, 60) });
  return broker;
}

export interface Ordered {
  readonly jobId: string;
  readonly id: string;
}

export async function order(wish: object = {}): Promise<Ordered> {
  const { status, body } = await api("POST", "/backtests", { ...FEW, ...QUICK, ...wish });
  if (status !== 202) throw new Error(`not ordered: ${JSON.stringify(body)}`);
  return { jobId: String(body["jobId"]), id: String(body["id"]) };
}

export const shown = async (id: string) => (await api("GET", `/backtests/${id}`)).body;
