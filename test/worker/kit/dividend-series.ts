import { expect } from "vitest";
import type { Bar } from "../../../src/domain/asset/bar.ts";
import { sessionsBetween } from "../../../src/domain/market/calendar.ts";
import { api } from "./api.ts";
import type { Broker } from "./broker.ts";
import { job } from "./market.ts";

const answer = sessionsBetween("XNYS", "2029-01-02", "2029-11-30");
const dates = answer.kind === "sessions" ? answer.sessions.map(({ date }) => date) : [];
export const bars = dates.map((date, n): Bar => {
  const close = 100 + Math.sin(n / 3) * 4;
  return {
    timestamp: Date.parse(date),
    open: close - 1,
    high: close + 2,
    low: close - 2,
    close,
    volume: 10 + n,
  };
});
export const dateOf = (n: number): string => dates[n] ?? "";
export const paid = (n: number, amount: number) =>
  ({ type: "dividend", exDate: dateOf(n), amount }) as const;
export const closeOf = (n: number): number => bars[n]?.close ?? 0;
/** What every price before day n is multiplied by. */
export const factorAt = (n: number, amount: number): number => 1 - amount / closeOf(n - 1);

/** An import through the API, worked off; its job is the answer. */
export async function post(broker: Broker, symbol: string, body: object) {
  const { status, body: told } = await api("POST", `/assets/${symbol}/bars`, body);
  expect(status, JSON.stringify(told)).toBe(202);
  await broker.settle();
  return job(String(told["jobId"]));
}
export const shown = (some: readonly Bar[]) =>
  some.map((bar) => ({ ...bar, timestamp: new Date(bar.timestamp).toISOString().slice(0, 10) }));
