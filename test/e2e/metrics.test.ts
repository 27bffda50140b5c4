import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { QUEUES } from "../../src/domain/queue/queues.ts";
import { type Family, parseExposition } from "../domain/metrics/exposition-parser.ts";
import { complaintsOfPromtool } from "../domain/metrics/promtool.ts";
import { until } from "./api.ts";
import { dailyBars } from "./daily-bars.ts";
import { Receiver } from "./receiver.ts";
import { freshFolder, type System, startSystem, stopEverything } from "./system.ts";

const stateDir = freshFolder();
const receiver = new Receiver();
const SECRET = `whsec_${Buffer.from("a secret of thirty-two bytes, or").toString("base64")}`;
const settings = () => ({
  DEMO: "off",
  ALERT_WEBHOOK_URL: receiver.url("/alerts"),
  ALERT_WEBHOOK_SECRET: SECRET,
  ALERT_RULES: JSON.stringify({ "open-breakers": { forSeconds: 0 } }),
});
let system: System;
beforeAll(async () => {
  await receiver.listen();
  system = await startSystem({ stateDir, env: settings() });
});
afterAll(stopEverything);
afterAll(() => receiver.close());

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
  families.get("events_processed_total")?.series.find(({ labels }) => labels["event_type"] === type)
    ?.value ?? 0;

async function importBars(symbol: string): Promise<void> {
  const asset = { symbol, type: "CRYPTO", currency: "USD", source: "import" };
  await system.api.create("/assets", asset, z.looseObject({ symbol: z.string() }));
  await system.api.importCsv(symbol, dailyBars(60));
}

describe("/metrics of the running system", () => {
  test("is valid for promtool, and counts the work of the system", async () => {
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
    for (const { value } of families.get("metrics_scrape_failed")?.series ?? [])
      expect(value).toBe(0);
  });

  test("runs with alerts that reach their receiver signed, with a secret that is never shown", async () => {
    const service = "/backoffice/breakers/source:yahoo/trip";
    expect((await system.api.json("POST", service, { reason: "a bill" })).status).toBe(200);
    const [first] = await until("the alert", async () =>
      receiver.at("/alerts").length > 0 ? receiver.at("/alerts") : null,
    );
    const headers = Object.fromEntries(
      Object.entries(first?.headers ?? {}).map(([name, value]) => [name, String(value)]),
    );
    const notification = new Webhook(SECRET).verify(first?.body ?? "", headers);
    expect(notification).toMatchObject({ rule: "open-breakers", kind: "raised", value: 1 });
    expect(system.output).not.toContain(SECRET.slice(6));
    for (const entry of readdirSync(stateDir, { recursive: true, withFileTypes: true }))
      if (entry.isFile())
        expect(
          readFileSync(join(entry.parentPath, entry.name)).includes(SECRET.slice(6)),
          entry.name,
        ).toBe(false);
  });

  test("never goes back, when the power is cut between two scrapes", async () => {
    const before = totals((await scrape()).families);
    await system.kill();
    system = await startSystem({ stateDir, env: settings() });
    const after = totals((await scrape()).families);
    expect(before.size).toBeGreaterThan(100);
    for (const [series, value] of before)
      expect(after.get(series), series).toBeGreaterThanOrEqual(value);
  });
});
