import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect } from "vitest";
import worker from "../../../src/worker.ts";
import { type Family, parseExposition } from "../../domain/metrics/exposition-parser.ts";
import type { Broker } from "./broker.ts";
import { days, enqueueImport } from "./market.ts";

export const get = (url: string, headers: Record<string, string> = {}, on: Env = env) =>
  worker.fetch(
    new Request(url, { headers }) as Parameters<typeof worker.fetch>[0],
    on,
    createExecutionContext(),
  );

export async function page(on: Env = env): Promise<Map<string, Family>> {
  const answer = await get("http://127.0.0.1/metrics", {}, on);
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  return parseExposition(await answer.text());
}

/**
 * The sum of a metric's series whose labels are as given; of a histogram, how many were observed.
 */
export function total(
  families: Map<string, Family>,
  name: string,
  labels: Record<string, string> = {},
): number {
  const family = families.get(name);
  return (family?.series ?? [])
    .filter((series) => family?.type !== "histogram" || series.name === `${name}_count`)
    .filter((series) =>
      Object.entries(labels).every(([label, value]) => series.labels[label] === value),
    )
    .reduce((sum, { value }) => sum + value, 0);
}

export async function oneBar(
  broker: Broker,
  symbol: string,
  slot: string,
  day: number,
): Promise<void> {
  broker.put("INGEST_QUEUE", await enqueueImport(symbol, slot, days(1, day)));
  await broker.settle();
}
