import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { api } from "../kit/api.ts";
import { Broker } from "../kit/broker.ts";
import { openEndpoint } from "../kit/endpoints.ts";
import {
  days,
  enqueueImport,
  eventsOf,
  openAsset,
  readModelOf,
  rows,
  stopClock,
} from "../kit/market.ts";
import { fileTestDeadLetters, path } from "../kit/stored-dead-letters.ts";

let broker: Broker;
beforeAll(() => {
  stopClock();
  broker = new Broker();
});
beforeEach(() => broker.settle());

/** An event that never happened, in the shape and at the place of a real one. */
async function forgery(symbol: string, version: number) {
  const [real] = (await eventsOf(symbol)).filter(
    ({ eventType }) => eventType === "RecommendationGenerated",
  );
  if (real === undefined) throw new Error("no recommendation");
  const event = {
    ...real,
    eventId: "019c0000-0000-7000-8000-0000000f0f0f",
    version,
    payload: { ...real.payload, action: "BUY", confidence: 0.99 },
  };
  return { streamId: real.streamId, version, event };
}

/** An asset with a recommendation, and a receiver of all its events. */
async function withReceiver(symbol: string) {
  const receiver = vi.spyOn(globalThis, "fetch").mockImplementation(async () => new Response("ok"));
  await openEndpoint(`hook-${symbol}`, [`asset.${symbol}.#`]);
  await openAsset(symbol);
  broker.put("INGEST_QUEUE", await enqueueImport(symbol, "a", days(40)));
  await broker.settle();
  return receiver;
}

const forgedSomewhere = async () => {
  const tables = await rows<{ name: string }>(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\' AND name <> 'dead_letters'",
  );
  const found: string[] = [];
  for (const { name } of tables)
    if (JSON.stringify(await rows(`SELECT * FROM "${name}"`)).includes("0000000f0f0f"))
      found.push(name);
  return found;
};

describe("an event that never happened", () => {
  it("gets nowhere on the queue itself: its place in the log says something else, or nothing", async () => {
    const receiver = await withReceiver("QUEUED");
    const before = await readModelOf("QUEUED");
    receiver.mockClear();
    const next = (await eventsOf("QUEUED")).length + 1;
    broker.put("EVENTS_QUEUE", await forgery("QUEUED", next), await forgery("QUEUED", 1));
    await broker.deliverDue("EVENTS_QUEUE");
    await broker.deliverDue("WEBHOOKS_QUEUE");
    expect(await readModelOf("QUEUED")).toEqual(before);
    expect(receiver).not.toHaveBeenCalled();
    expect(await forgedSomewhere()).toEqual([]);
    broker.take("EVENTS_QUEUE");
  });

  it("does not take the place of one that is not projected yet", async () => {
    await withReceiver("LOST");
    await openAsset("LOST", { currency: "EUR" });
    broker.take("EVENTS_QUEUE");
    const version = (await eventsOf("LOST")).length;
    broker.put("EVENTS_QUEUE", await forgery("LOST", version));
    await broker.settle();
    const { feed } = await readModelOf("LOST");
    expect(feed.at(-1)).toMatchObject({ version, event_type: "AssetUpdated" });
    expect(await forgedSomewhere()).toEqual([]);
  });

  it.each(["redrive", "bulk"])("gets nowhere as the body of a dead letter: %s", async (way) => {
    const symbol = `LETTER-${way.toUpperCase()}`;
    const receiver = await withReceiver(symbol);
    const before = await readModelOf(symbol);
    const body = await forgery(symbol, (await eventsOf(symbol)).length + 1);
    // As an edit of before could file it.
    await fileTestDeadLetters(1, () => ({
      id: symbol,
      queue: "events",
      subject: body.streamId,
      body,
    }));
    receiver.mockClear();
    const dryRun = await api("POST", path(symbol, "dry-run"));
    expect(JSON.stringify(dryRun.body["events"])).not.toContain("0.99");
    expect(dryRun.body["rows"]).toEqual({});
    const redriven =
      way === "redrive"
        ? await api("POST", path(symbol, "redrive"))
        : await api("POST", "/backoffice/dead-letters/redrive", {
            filter: { queue: "events" },
            expect: 1,
          });
    expect(redriven.status).toBeLessThan(300);
    expect(JSON.stringify(broker.waiting("EVENTS_QUEUE"))).not.toContain("0.99");
    await broker.deliverDue("EVENTS_QUEUE");
    await broker.deliverDue("WEBHOOKS_QUEUE");
    expect(await readModelOf(symbol)).toEqual(before);
    expect(receiver).not.toHaveBeenCalled();
    expect(await forgedSomewhere()).toEqual([]);
    broker.take("EVENTS_QUEUE");
    await env.DB.prepare("DELETE FROM dead_letters").run();
  });

  it("cannot be edited into a dead letter, and the refusal says what to do", async () => {
    await withReceiver("EDITED");
    const body = await forgery("EDITED", 9);
    await fileTestDeadLetters(1, () => ({
      id: "edited",
      queue: "events",
      subject: body.streamId,
      body: {},
    }));
    const refused = await api("PATCH", path("edited"), { body });
    expect(refused).toMatchObject({ status: 422, body: { code: "validation_failed" } });
    expect(refused.body["detail"]).toMatch(/Redrive the dead letter of an event as it is/);
    await env.DB.prepare("DELETE FROM dead_letters").run();
  });
});
