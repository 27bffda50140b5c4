import { env, exports } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { QUEUES } from "../../../src/domain/queue/queues.ts";
import { Broker } from "../kit/broker.ts";
import { openEndpoint } from "../kit/endpoints.ts";
import { rows, stopClock } from "../kit/market.ts";

let broker: Broker;
beforeAll(() => {
  stopClock();
  broker = new Broker();
});

interface Item {
  readonly service: string;
  readonly state: string;
  readonly queue: string;
}

async function call(method: string, path: string, body?: unknown) {
  const answer = await exports.default.fetch(
    new Request(`http://127.0.0.1/api/v1/backoffice${path}`, {
      method,
      headers: { authorization: `Bearer ${env.ADMIN_API_KEY}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }),
  );
  return {
    status: answer.status,
    body: (await answer.json()) as { items: Item[]; nextCursor: string | null },
  };
}

describe("breakers in the back office", () => {
  it("lists every price source that can be asked, closed until something happened", async () => {
    const { status, body } = await call("GET", "/breakers");
    expect(status).toBe(200);
    expect(body.items.map(({ service }) => service)).toEqual([
      "source:coinbase",
      "source:demo",
      "source:frankfurter",
      "source:kraken",
      "source:tiingo",
      "source:twelvedata",
      "source:yahoo",
    ]);
    expect(new Set(body.items.map(({ state }) => state))).toEqual(new Set(["closed"]));
    const first = await call("GET", "/breakers?limit=3");
    const rest = await call("GET", `/breakers?limit=200&cursor=${first.body.nextCursor}`);
    expect([...first.body.items, ...rest.body.items]).toEqual(body.items);
  });

  it("trips and resets one by hand, with event, audit row and read model", async () => {
    const tripped = await call("POST", "/breakers/source:demo/trip", {
      reason: "contract under review",
      forSeconds: 600,
    });
    expect(tripped).toMatchObject({
      status: 200,
      body: {
        state: "open",
        reason: "manual",
        openUntil: new Date(Date.now() + 600_000).toISOString(),
      },
    });
    expect(await call("GET", "/breakers/source:demo")).toEqual(tripped);
    await broker.settle();
    const listed = async () =>
      (await call("GET", "/breakers")).body.items.find(({ service }) => service === "source:demo");
    expect(await listed()).toMatchObject({
      state: "open",
      reason: "manual",
      detail: "contract under review",
    });
    const reset = await call("POST", "/breakers/source:demo/reset", { reason: "signed" });
    expect(reset).toMatchObject({ status: 200, body: { state: "closed", openUntil: null } });
    await broker.settle();
    expect(await listed()).toMatchObject({ state: "closed", reason: "manual", detail: "signed" });
    expect(
      await rows(
        "SELECT actor, action, detail FROM audit_log WHERE subject = 'source:demo' ORDER BY id",
      ),
    ).toEqual([
      { actor: "admin", action: "breaker.trip", detail: "contract under review" },
      { actor: "admin", action: "breaker.reset", detail: "signed" },
    ]);
    const told = await rows<{ body: string }>(
      "SELECT body FROM events WHERE stream_id = 'breaker/source:demo' ORDER BY version",
    );
    expect(told.map(({ body }) => JSON.parse(body) as { actorId: string })).toMatchObject([
      { eventType: "CircuitOpened", actorId: "admin" },
      { eventType: "CircuitClosed", actorId: "admin" },
    ]);
  });

  it("knows the breakers of its endpoints, and none of services that are not there", async () => {
    await openEndpoint("known", ["#"]);
    expect((await call("GET", "/breakers/webhook:known")).status).toBe(200);
    for (const service of [
      "webhook:unknown",
      "source:nobody",
      "source:import",
      "alerts",
      "x",
      "constructor",
      "%00",
    ]) {
      expect((await call("GET", `/breakers/${service}`)).status).toBe(404);
      expect((await call("POST", `/breakers/${service}/trip`, { reason: "x" })).status).toBe(404);
      expect((await call("POST", `/breakers/${service}/reset`, { reason: "x" })).status).toBe(404);
    }
  });

  it("refuses a trip without a reason or for no time", async () => {
    for (const body of [
      {},
      { reason: " " },
      { reason: "x", forSeconds: 0 },
      { reason: "x", for: 3 },
      { reason: 7 },
    ]) {
      expect((await call("POST", "/breakers/source:demo/trip", body)).status).toBe(422);
    }
  });
});

describe("queues in the back office", () => {
  it("are listed with what waits in them", async () => {
    const { status, body } = await call("GET", "/queues");
    expect(status).toBe(200);
    expect(body.items.map(({ queue }) => queue)).toEqual(
      QUEUES.map((name) => `inversorai-${name}`),
    );
    expect(body.items[0]).toEqual({
      queue: "inversorai-schedule",
      backlogCount: 0,
      backlogBytes: 0,
      oldestMessageAt: null,
      oldestMessageAgeSeconds: null,
      known: true,
    });
  });
});
