import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { QUEUES } from "../../src/domain/metrics/catalogue.ts";
import { type Family, parseExposition } from "../domain/metrics/exposition-parser.ts";
import { complaintsOfPromtool } from "../domain/metrics/promtool.ts";
import { until } from "./api.ts";
import { dailyBars } from "./daily-bars.ts";
import { freshFolder, type System, startSystem, stopEverything } from "./system.ts";

const stateDir = freshFolder();
let system: System;
beforeAll(async () => {
  system = await startSystem({ stateDir, env: { DEMO: "off" } });
});
afterAll(stopEverything);

/** The page as a scraper on this machine gets it: without a key. */
async function scrape(): Promise<{ text: string; families: Map<string, Family> }> {
  const answer = await system.api.as(null).ask("GET", `${system.origin}/metrics`);
  expect(answer.status).toBe(200);
  return { text: answer.text, families: parseExposition(answer.text) };
}

const totals = (families: Map<string, Family>): Map<string, number> =>
  new Map(
    [...families.values()]
      .filter(({ type }) => type !== "gauge")
      .flatMap(({ series }) => series)
      .map(({ name, labels, value }) => [`${name} ${JSON.stringify(labels)}`, value]),
  );

const processed = (families: Map<string, Family>, type: string): number =>
  families.get("events_processed_total")?.series.find(({ labels }) => labels["event_type"] === type)?.value ??
  0;

async function importBars(symbol: string): Promise<void> {
  const asset = { symbol, type: "CRYPTO", currency: "USD", source: "import" };
  await system.api.create("/assets", asset, z.looseObject({ symbol: z.string() }));
  await system.api.importCsv(symbol, dailyBars(60));
}

describe("/metrics of the running system", () => {
  test("is what promtool expects, and counts what the system does", async () => {
    await importBars("WATCHED");
    await until("the recommendation is counted", async () => {
      const { families } = await scrape();
      return processed(families, "RecommendationGenerated") === 1 ? true : null;
    });
    const { text, families } = await scrape();
    expect(complaintsOfPromtool(text)).toBe("");
    expect(text).not.toContain("WATCHED");
    const queues = families.get("queue_backlog_messages")?.series ?? [];
    expect(queues).toHaveLength(QUEUES.length);
    for (const { value } of families.get("metrics_scrape_failed")?.series ?? []) expect(value).toBe(0);
  });

  test("never goes back, when the power is cut between two scrapes", async () => {
    const before = totals((await scrape()).families);
    await system.kill();
    system = await startSystem({ stateDir, env: { DEMO: "off" } });
    const after = totals((await scrape()).families);
    expect(before.size).toBeGreaterThan(100);
    for (const [series, value] of before) expect(after.get(series), series).toBeGreaterThanOrEqual(value);
  });
});
