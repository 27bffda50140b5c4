import { env, exports } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";

const call = (method: string, path: string, body?: unknown, type = "application/json") =>
  exports.default.fetch(
    new Request(`http://127.0.0.1/api/v1${path}`, {
      method,
      headers: {
        authorization: "Bearer test-admin-key-0123456789",
        ...(body === undefined ? {} : { "content-type": type }),
      },
      body: body === undefined ? null : typeof body === "string" ? body : JSON.stringify(body),
    }),
  );

describe("the whole way", () => {
  it("turns an imported file into a recommendation through real queues, object and database", async () => {
    expect(env.ENVIRONMENT).toBe("local");
    const made = await call("POST", "/assets", {
      symbol: "ACME",
      type: "STOCK",
      currency: "USD",
      source: "import",
    });
    expect(made.status).toBe(201);
    const rows = Array.from({ length: 60 }, (_, day) => {
      const date = new Date(Date.UTC(2020, 0, 1 + day)).toISOString().slice(0, 10);
      const close = 100 + Math.sin(day) * 3 + day / 5;
      return `${date},${close - 1},${close + 2},${close - 2},${close},1000`;
    });
    const sent = await call(
      "POST",
      "/assets/ACME/bars",
      `timestamp,open,high,low,close,volume\n${rows.join("\n")}\n`,
      "text/csv",
    );
    expect(sent.status).toBe(202);
    const found = await vi.waitUntil(
      async () => {
        const answer = await call("GET", "/assets/ACME/recommendations");
        const { items } = (await answer.json()) as { items: { action: string; asOf: string }[] };
        return items[0];
      },
      { timeout: 20_000, interval: 100 },
    );
    expect(found.asOf).toBe("2020-02-29T00:00:00.000Z");
  });
});
