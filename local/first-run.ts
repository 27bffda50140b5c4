import { DEMO_SERIES } from "../src/domain/market/demo-catalogue.ts";
import type { RunningWorker } from "./runtime.ts";

/** Our own Worker: the key is sent to it before any port is open. */
type Asked = Pick<RunningWorker, "ask">;

/**
 * Ingest after each market's close, when its vendors have the bar; for every live asset of the
 * calendar.
 */
const SCHEDULES = [
  { name: "Daily bars, New York", calendar: "XNYS", offsetSeconds: 1_200 },
  { name: "Daily bars, London", calendar: "XLON", offsetSeconds: 1_200 },
  { name: "Daily bars, Madrid", calendar: "XMAD", offsetSeconds: 1_200 },
  { name: "Daily bars, crypto", calendar: "CRYPTO", offsetSeconds: 300 },
  { name: "Daily bars, currencies", calendar: "FX", offsetSeconds: 300 },
];

/**
 * An hour after that: recommendations whose horizon has passed are evaluated. Bars that have not
 * arrived by then wait for the next day.
 */
const RESOLVE_AFTER_SECONDS = 3_600;

/** And after that everything is ranked, whichever market has closed. */
const RANK_AFTER_SECONDS = 5_400;

/** Makes the schedules of an installation that has none. */
export async function registerSchedules(worker: Asked, key: string): Promise<void> {
  const existing = (await call(worker, key, "GET", "/schedules?limit=1")) as { items: unknown[] };
  if (existing.items.length > 0) return;
  for (const { name, calendar, offsetSeconds } of SCHEDULES) {
    await call(worker, key, "POST", "/schedules", {
      name,
      kind: "ingest",
      target: { calendar },
      cadence: { type: "calendar", calendar, event: "close", offsetSeconds },
    });
    await call(worker, key, "POST", "/schedules", {
      name: name.replace("Daily bars", "Recommendations at their horizon"),
      kind: "recommendation",
      target: { calendar, only: "due" },
      cadence: {
        type: "calendar",
        calendar,
        event: "close",
        offsetSeconds: offsetSeconds + RESOLVE_AFTER_SECONDS,
      },
    });
    await call(worker, key, "POST", "/schedules", {
      name: name.replace("Daily bars", "Ranking"),
      kind: "ranking",
      target: { resolution: "1d" },
      overlap: "skip",
      cadence: {
        type: "calendar",
        calendar,
        event: "close",
        offsetSeconds: offsetSeconds + RANK_AFTER_SECONDS,
      },
    });
  }
}

/** Registers the demo's assets; those that are there already stay as they are. */
export async function registerDemoAssets(worker: Asked, key: string): Promise<void> {
  for (const { symbol, type, currency, calendar } of DEMO_SERIES) {
    await call(
      worker,
      key,
      "POST",
      "/assets",
      { symbol, type, currency, calendar, source: "demo" },
      409,
    );
  }
}

async function call(
  worker: Asked,
  key: string,
  method: string,
  path: string,
  body?: unknown,
  fine?: number,
): Promise<unknown> {
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const sent = body === undefined ? "" : JSON.stringify(body);
  const { status, text } = await worker.ask(method, `/api/v1${path}`, headers, sent);
  if ((status < 200 || status > 299) && status !== fine)
    throw new Error(`${method} ${path} answered ${status}: ${text}`);
  return JSON.parse(text) as unknown;
}
