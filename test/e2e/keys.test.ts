import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { type Api, until } from "./api.ts";
import { KNOWN } from "./bad-queries.ts";
import { dailyBars } from "./daily-bars.ts";
import { refusal } from "./refusal.ts";
import { type System, startSystem, stopEverything } from "./system.ts";
import { assetView, eventView } from "./views.ts";

const BARS = 60;

let system: System;
let api: Api;

beforeAll(async () => {
  system = await startSystem({ env: { DEMO: "off" } });
  api = system.api;
  await api.create(
    "/assets",
    { symbol: KNOWN, type: "CRYPTO", currency: "USD", source: "import" },
    assetView,
  );
});
afterAll(stopEverything);

describe("keys", () => {
  const keyView = z.object({ id: z.string(), key: z.string() });
  const make = (scopes: readonly string[], expiresAt?: string) =>
    api.create(
      "/backoffice/api-keys",
      { name: "test", scopes, ...(expiresAt === undefined ? {} : { expiresAt }) },
      keyView,
    );

  test("a key allows what its scopes list and nothing else", async () => {
    const reader = api.as((await make(["assets:read"])).key);
    await reader.get(`/assets/${KNOWN}`, assetView);
    const asset = { symbol: "SNEAKY", type: "CRYPTO", currency: "USD", source: "import" };
    expect(refusal(await reader.json("POST", "/assets", asset), 403).detail).toContain(
      "assets:write",
    );
    for (const path of [
      "/jobs",
      "/events",
      "/schedules",
      "/webhook-endpoints",
      "/backoffice/audit",
      "/backoffice/api-keys",
    ])
      expect(refusal(await reader.ask("GET", path), 403).code, path).toBe("forbidden");
    const csv = { body: dailyBars(1), headers: { "content-type": "text/csv" } };
    refusal(await reader.ask("POST", `/assets/${KNOWN}/bars`, csv), 403);
  });

  test("a revoked key and an expired key open nothing", async () => {
    const revoked = await make(["assets:read"]);
    expect((await api.ask("DELETE", `/backoffice/api-keys/${revoked.id}`)).status).toBe(204);
    refusal(await api.as(revoked.key).ask("GET", "/assets"), 401);
    const short = await make(["assets:read"], new Date(Date.now() + 1_500).toISOString());
    expect((await api.as(short.key).ask("GET", "/assets")).status).toBe(200);
    await sleep(2_000);
    refusal(await api.as(short.key).ask("GET", "/assets"), 401);
  });
});

describe("Idempotency-Key", () => {
  const asset = (symbol: string) => ({ symbol, type: "CRYPTO", currency: "USD", source: "import" });
  const post = (symbol: string, key: string) =>
    api.json("POST", "/assets", asset(symbol), { "idempotency-key": key });

  test("a repeated request gets the first answer, another body with the same key is a conflict", async () => {
    const first = await post("ONCE-A", "first");
    expect(first.status).toBe(201);
    const again = await post("ONCE-A", "first");
    expect({ status: again.status, text: again.text }).toStrictEqual({
      status: 201,
      text: first.text,
    });
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect(refusal(await post("ONCE-B", "first"), 422).code).toBe("idempotency_conflict");
    expect((await api.ask("GET", "/assets/ONCE-B")).status).toBe(404);
  });

  test("a repeated import is one job", async () => {
    const ask = {
      body: dailyBars(1, BARS),
      headers: { "content-type": "text/csv", "idempotency-key": "import" },
    };
    const ids = [];
    for (let time = 0; time < 3; time++)
      ids.push((await api.ask("POST", "/assets/ONCE-A/bars", ask)).text);
    expect(new Set(ids).size).toBe(1);
  });

  test("of requests at the same moment one is carried out", async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => post("ONCE-C", "at once")));
    const done = answers.filter(({ status }) => status === 201);
    expect(done.length).toBeGreaterThan(0);
    for (const answer of answers.filter(({ status }) => status !== 201))
      expect(refusal(answer, 409).code).toBe("idempotency_in_progress");
    expect(
      (await api.all("/assets?limit=200", assetView)).filter(({ symbol }) => symbol === "ONCE-C"),
    ).toHaveLength(1);
    const events = await until("its event", async () => {
      const all = await api.all("/events?pattern=asset.ONCE-C.%23", eventView);
      return all.length > 0 ? all : null;
    });
    expect(events).toHaveLength(1);
  });

  test("a key of 256 characters is refused", async () => {
    refusal(await post("ONCE-D", "k".repeat(256)), 400);
  });
});
