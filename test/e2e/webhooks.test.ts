import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { until } from "./api.ts";
import { dailyBars, dateOf } from "./daily-bars.ts";
import { idOf, Receiver, readDelivery, type SequencedEvent } from "./receiver.ts";
import { type System, startSystem, stopEverything } from "./system.ts";
import { deliveryView, endpointView, eventView } from "./views.ts";

/** Three attempts in all. */
const RETRY_SECONDS = "1,1";
const secretView = endpointView.extend({ secret: z.string().startsWith("whsec_") });
type Endpoint = z.infer<typeof secretView>;

const receiver = new Receiver();
let system: System;

const subscribe = (path: string, patterns: readonly string[]): Promise<Endpoint> =>
  system.api.create("/webhook-endpoints", { url: receiver.url(path), patterns }, secretView);

const register = (symbol: string) =>
  system.api.create(
    "/assets",
    { symbol, type: "CRYPTO", currency: "USD", source: "import" },
    z.looseObject({ symbol: z.string() }),
  );

const feed = () => system.api.all("/events?limit=200", eventView);

const deliveriesOf = (endpoint: Endpoint) =>
  system.api.all(`/webhook-endpoints/${endpoint.id}/deliveries?limit=200`, deliveryView);

/**
 * Everything a path received, each verified against the endpoint's secret and read as a CloudEvent.
 */
const eventsAt = (path: string, { secret }: Endpoint): SequencedEvent[] =>
  receiver.at(path).map((one) => readDelivery(one, secret));

beforeAll(async () => {
  await receiver.listen();
  system = await startSystem({
    env: { DEMO: "off", WEBHOOK_ALLOW_LOOPBACK: "on", WEBHOOK_RETRY_SECONDS: RETRY_SECONDS },
  });
});
afterAll(async () => {
  await stopEverything();
  await receiver.close();
});

describe("an endpoint that takes everything", () => {
  let all: Endpoint;
  let some: Endpoint;

  beforeAll(async () => {
    all = await subscribe("/all", ["#"]);
    some = await subscribe("/some", ["asset.*.RecommendationGenerated"]);
    const fill = async (symbol: string) => {
      await register(symbol);
      for (const [from, count] of [
        [0, 300],
        [300, 50],
        [350, 1],
      ] as const) {
        const id = await system.api.importCsv(symbol, dailyBars(count, from));
        expect((await system.api.jobEnd(id)).state).toBe("succeeded");
      }
    };
    await Promise.all([fill("ONE"), fill("TWO.B")]);
    await until("the last recommendations", async () => {
      const made = (await feed()).filter(
        ({ eventType, payload }) =>
          eventType === "RecommendationGenerated" &&
          payload["asOf"] === `${dateOf(350)}T00:00:00.000Z`,
      );
      return made.length === 2 ? true : null;
    });
  });

  test("receives every event of the feed, none lost and none added", async () => {
    const ids = (await feed()).map(({ eventId }) => eventId).sort();
    const got = await until("the deliveries", async () => {
      const received = new Set(receiver.at("/all").map(({ headers }) => idOf(headers)));
      return received.size >= ids.length ? [...received].sort() : null;
    });
    expect(got).toStrictEqual(ids);
  });

  test("can verify each one and read it as a CloudEvent of ours", async () => {
    const known = new Map((await feed()).map((event) => [event.eventId, event]));
    const received = receiver.at("/all");
    for (const [index, event] of eventsAt("/all", all).entries()) {
      const of = known.get(event.id);
      const request = received[index];
      expect(idOf(request?.headers ?? {})).toBe(event.id);
      expect(request?.headers["content-type"]).toMatch(/^application\/cloudevents\+json/);
      expect(
        Math.abs(Number(request?.headers["webhook-timestamp"]) * 1000 - (request?.at ?? 0)),
      ).toBeLessThan(10_000);
      expect(event).toMatchObject({
        type: `com.inversorai.${of?.eventType}`,
        subject: of?.streamId,
        sequence: String(of?.version).padStart(12, "0"),
        time: of?.occurredAt,
        data: of?.payload,
      });
      expect(event.dataschema).toMatch(/^http.*\/api\/v1\/schemas\//);
    }
  });

  test("finds each subject's sequence without a gap, so that it can put it in order", () => {
    const events = eventsAt("/all", all);
    const subjects = Map.groupBy(
      new Map(events.map((event) => [event.id, event])).values(),
      ({ subject }) => subject,
    );
    expect([...subjects.keys()].sort()).toStrictEqual(["asset/ONE", "asset/TWO.B"]);
    let inversions = 0;
    for (const [subject, own] of subjects) {
      const arrived = own.map(({ sequence }) => Number(sequence));
      inversions += arrived.filter(
        (version, at) => at > 0 && version < (arrived[at - 1] ?? 0),
      ).length;
      expect(
        arrived.toSorted((a, b) => a - b),
        subject,
      ).toStrictEqual(arrived.map((_, at) => at + 1));
    }
    console.log(
      `${events.length} deliveries for ${subjects.size} subjects; ${inversions} arrived before their predecessor`,
    );
  });

  test("is not the only one: a narrower pattern receives just the events it selects", async () => {
    const wanted = (await feed()).filter(
      ({ eventType }) => eventType === "RecommendationGenerated",
    );
    await until("the recommendations", async () =>
      receiver.at("/some").length >= wanted.length ? true : null,
    );
    expect(
      eventsAt("/some", some)
        .map(({ id }) => id)
        .sort(),
    ).toStrictEqual(wanted.map(({ eventId }) => eventId).sort());
  });

  test("has its secret shown once, and a stranger's secret verifies nothing", async () => {
    for (const path of [`/webhook-endpoints/${all.id}`, "/webhook-endpoints"]) {
      const answer = await system.api.ask("GET", path);
      expect(answer.text).toContain(all.id);
      expect(answer.text).not.toContain("whsec_");
    }
    const changed = await system.api.json("PATCH", `/webhook-endpoints/${all.id}`, {
      description: "everything",
    });
    expect(changed.status).toBe(200);
    expect(changed.text).not.toContain("whsec_");
    expect(() => eventsAt("/all", some)).toThrow();
  });
});

describe.concurrent("an endpoint in trouble", () => {
  test("is tried again with the same id and a fresh timestamp, and every attempt is on record", async () => {
    receiver.behaviours.set("/flaky", (_request, nth) => (nth <= 2 ? 500 : 200));
    const flaky = await subscribe("/flaky", ["asset.FLAKY.AssetRegistered"]);
    await register("FLAKY");
    const delivery = await until(
      "the delivery",
      async () => (await deliveriesOf(flaky)).find(({ state }) => state === "delivered") ?? null,
    );
    expect(delivery.attempts.map(({ number, status }) => [number, status])).toStrictEqual([
      [1, 500],
      [2, 500],
      [3, 200],
    ]);
    const requests = receiver.at("/flaky");
    expect(eventsAt("/flaky", flaky).map(({ id }) => id)).toStrictEqual(
      Array(3).fill(delivery.eventId),
    );
    const stamps = requests.map(({ headers }) => Number(headers["webhook-timestamp"]));
    expect(new Set(stamps).size).toBe(3);
    expect(stamps).toStrictEqual(stamps.toSorted((a, b) => a - b));
    expect(new Set(requests.map(({ body }) => body.toString())).size).toBe(1);
  });

  test("ends as failed with a dead letter, which a redrive delivers once it is well again", async () => {
    receiver.behaviours.set("/down", () => 503);
    const down = await subscribe("/down", ["asset.DOWN.AssetRegistered"]);
    await register("DOWN");
    const failed = await until(
      "the failure",
      async () => (await deliveriesOf(down)).find(({ state }) => state === "failed") ?? null,
    );
    expect(failed.attempts.map(({ status }) => status)).toStrictEqual([503, 503, 503]);
    const deadLetterBody = z.object({
      id: z.string(),
      queue: z.string(),
      subject: z.string().nullable(),
      state: z.string(),
    });
    const open = async () =>
      (await system.api.all("/backoffice/dead-letters", deadLetterBody)).filter(
        ({ subject }) => subject === failed.id,
      );
    const deadLetters = await open();
    expect(deadLetters).toMatchObject([{ queue: "webhooks", state: "open" }]);
    receiver.behaviours.delete("/down");
    const redriven = await system.api.json(
      "POST",
      `/backoffice/dead-letters/${deadLetters[0]?.id}/redrive`,
      {},
    );
    expect(redriven.status).toBe(202);
    await until(
      "the redelivery",
      async () => (await deliveriesOf(down)).find(({ state }) => state === "delivered") ?? null,
    );
    expect(eventsAt("/down", down).map(({ id }) => id)).toStrictEqual(
      Array(4).fill(failed.eventId),
    );
    expect(await open()).toStrictEqual([]);
  });

  test("that answers 410 is disabled and never called again", async () => {
    receiver.behaviours.set("/gone", () => 410);
    const gone = await subscribe("/gone", ["asset.GONE-1.#", "asset.GONE-2.#"]);
    await register("GONE-1");
    const disabled = await until("the endpoint to be disabled", async () => {
      const now = await system.api.get(`/webhook-endpoints/${gone.id}`, endpointView);
      return now.enabled ? null : now;
    });
    expect(disabled.disabledWhy).toMatch(/410/);
    const other = await subscribe("/after-gone", ["asset.GONE-2.#"]);
    await register("GONE-2");
    await until("another endpoint to have it", async () =>
      eventsAt("/after-gone", other).length > 0 ? true : null,
    );
    expect(receiver.at("/gone")).toHaveLength(1);
  });

  test("that answers with a redirect is not followed", async () => {
    receiver.behaviours.set("/moved", () => 302);
    const moved = await subscribe("/moved", ["asset.MOVED.AssetRegistered"]);
    await register("MOVED");
    const failed = await until(
      "the failure",
      async () => (await deliveriesOf(moved)).find(({ state }) => state === "failed") ?? null,
    );
    expect(failed.attempts.map(({ status }) => status)).toStrictEqual([302, 302, 302]);
    expect(receiver.at("/elsewhere")).toStrictEqual([]);
  });
});
