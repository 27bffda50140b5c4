import { env, exports } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { platform } from "../../../src/wiring/platform/platform.ts";
import { opened } from "../../../src/wiring/platform/sealing.ts";
import { Broker } from "../kit/broker.ts";
import { openAsset, passSeconds, rows, stopClock } from "../kit/market.ts";

beforeAll(() => {
  stopClock();
  new Broker();
});

const post = async (path: string, key: string, body: string, type = "application/json") => {
  const answer = await exports.default.fetch(`http://127.0.0.1:8787/api/v1${path}`, {
    method: "POST",
    headers: {
      authorization: "Bearer test-admin-key-0123456789",
      "idempotency-key": key,
      "content-type": type,
    },
    body,
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
};

/**
 * Carries a request out twice, as after a failure on our side that came when the effect was there
 * already.
 */
async function twice(path: string, body: string, type?: string) {
  const key = `again ${path}`;
  const first = await post(path, key, body, type);
  await env.DB.prepare("UPDATE idempotency_keys SET status = 0, body = NULL WHERE key LIKE ?")
    .bind(`%${key}`)
    .run();
  passSeconds(600);
  return { first, again: await post(path, key, body, type) };
}

describe("a request that took effect, failed, and is repeated with its key", () => {
  it("makes one endpoint, with the secret that signs", async () => {
    const body = JSON.stringify({ url: "http://127.0.0.1:9/once", patterns: ["#"] });
    const { first, again } = await twice("/webhook-endpoints", body);
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(again.body["id"]).toBe(first.body["id"]);
    expect(again.body["secret"]).toBe(first.body["secret"]);
    const stored = await rows<{ id: string; secret: string }>(
      "SELECT id, secret FROM webhook_endpoints WHERE url LIKE '%/once'",
    );
    const id = String(first.body["id"]);
    expect(stored).toEqual([{ id, secret: expect.stringMatching(/^sealed:/) }]);
    expect(await opened(platform(env), id, stored[0]?.secret ?? "")).toBe(first.body["secret"]);
  });

  it("makes one import job", async () => {
    await openAsset("REPEAT");
    const csv = "timestamp,open,high,low,close,volume\n2024-03-04,9,11,8,10,5\n";
    const { first, again } = await twice("/assets/REPEAT/bars", csv, "text/csv");
    expect([first.status, again.status]).toEqual([202, 202]);
    expect(again.body).toEqual(first.body);
    expect(await rows("SELECT id FROM jobs WHERE symbol = 'REPEAT'")).toEqual([
      { id: first.body["jobId"] },
    ]);
  });

  it("makes one schedule, and passes over none of its slots", async () => {
    await openAsset("ROTA");
    const cadence = { type: "interval", everySeconds: 300 };
    const body = JSON.stringify({ name: "rota", target: { symbol: "ROTA" }, cadence });
    const { first, again } = await twice("/schedules", body);
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(again.body).toEqual(first.body);
    const [made, ...others] = await rows<{ done_until: number; created_at: number }>(
      "SELECT done_until, created_at FROM schedules WHERE name = 'rota'",
    );
    expect(others).toEqual([]);
    expect(made?.done_until).toBeLessThanOrEqual(made?.created_at ?? 0);
  });
});
