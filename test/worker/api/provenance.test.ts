import { env, exports } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { PAYLOAD_SCHEMAS } from "../../../src/api/events/payload-schemas.ts";
import type { EventType } from "../../../src/domain/events/catalogue.ts";

const call = (method: string, path: string, body?: string, type = "application/json") =>
  exports.default.fetch(
    new Request(`http://127.0.0.1${path}`, {
      method,
      headers: { authorization: "Bearer test-admin-key-0123456789", "content-type": type },
      body: body ?? null,
    }),
  );

const csv = (from: number, days: number): string => {
  const rows = Array.from({ length: days }, (_, n) => {
    const date = new Date(Date.UTC(2020, 0, 1 + from + n)).toISOString().slice(0, 10);
    const close = 100 + Math.sin(from + n) * 3;
    return `${date},${close - 1},${close + 2},${close - 2},${close},1000`;
  });
  return `timestamp,open,high,low,close,volume\n${rows.join("\n")}\n`;
};

describe("where a number comes from", () => {
  it("is told by a chain from the recommendation down to the bars, and every step can be read", async () => {
    const asset = { symbol: "WALK", type: "STOCK", currency: "USD", source: "import" };
    await call("POST", "/api/v1/assets", JSON.stringify(asset));
    const sent = await call("POST", "/api/v1/assets/WALK/bars", csv(0, 80), "text/csv");
    const { jobId } = (await sent.json()) as { jobId: string };
    const id = await vi.waitUntil(
      async () => {
        const answer = await call("GET", "/api/v1/assets/WALK/recommendations");
        return ((await answer.json()) as { items: { id: string }[] }).items[0]?.id;
      },
      { timeout: 20_000, interval: 100 },
    );
    const answer = await call("GET", `/api/v1/recommendations/${id}/provenance`);
    const { chain, complete } = (await answer.json()) as {
      chain: { step: string; id: string; href: string }[];
      complete: boolean;
    };
    expect(complete).toBe(true);
    expect(chain.map(({ step }) => step)).toEqual([
      "recommendation",
      "event",
      "job",
      "event",
      "job",
      "event",
      "bars",
      "job",
    ]);
    expect(chain.at(-1)?.id).toBe(jobId);
    for (const { href } of chain) expect((await call("GET", href)).status, href).toBe(200);
  });

  it("names the newest event behind the bars, even when an older one's job computes them", async () => {
    const symbol = "LATE";
    const asset = env.ASSET_OBJECTS.getByName(symbol);
    const cause = { actorId: "test", jobId: null, correlationId: "c", causationId: null };
    const fact = {
      symbol,
      type: "STOCK",
      currency: "USD",
      calendar: "XNYS",
      source: "import",
      live: false,
      archived: false,
    } as const;
    await asset.register({ symbol, fact, cause });
    const ingest = (day: number) =>
      asset.ingest({
        symbol,
        cause,
        jobId: `ingest|${symbol}|${day}`,
        requestHash: "h",
        resolution: "1d",
        source: "import",
        scheduleId: null,
        slot: null,
        bars: [
          {
            timestamp: Date.UTC(2020, 0, day),
            open: null,
            high: null,
            low: null,
            close: 100 + day,
            volume: null,
          },
        ],
      });
    await ingest(1);
    await ingest(2);
    const before = await asset.readEvents(symbol, 0, 10);
    const [, first, second] = before.events;
    await asset.computeIndicators({
      symbol,
      cause: { ...cause, causationId: first?.eventId ?? null },
      jobId: `indicators|${symbol}|v2`,
      requestHash: "h",
      resolution: "1d",
      codeVersion: "test",
    });
    const computed = (await asset.readEvents(symbol, 3, 10)).events[0];
    expect(computed?.eventType).toBe("IndicatorsComputed");
    expect(computed?.causationId).toBe(second?.eventId);
  });

  it("is written in events that keep to their published schemas", async () => {
    const answer = await call("GET", "/api/v1/events?limit=200");
    const { items } = (await answer.json()) as {
      items: { eventType: EventType; payload: unknown }[];
    };
    expect(new Set(items.map(({ eventType }) => eventType))).toContain("RecommendationGenerated");
    for (const { eventType, payload } of items) {
      const result = PAYLOAD_SCHEMAS[eventType].safeParse(payload);
      expect(result.error?.issues ?? [], eventType).toEqual([]);
    }
    for (const version of [1, 2]) {
      const schema = await call("GET", `/api/v1/schemas/RecommendationGenerated/${version}`);
      expect(schema.status).toBe(200);
      expect(await schema.json()).toMatchObject({
        $schema: "http://json-schema.org/draft-07/schema#",
        type: "object",
      });
    }
    expect((await call("GET", "/api/v1/schemas/RecommendationGenerated/3")).status).toBe(404);
  });
});
