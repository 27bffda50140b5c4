import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { Webhook } from "standardwebhooks";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { EVENT_TYPES } from "../../../src/domain/events/catalogue.ts";
import { KINDS as JOBS } from "../../../src/domain/job/job-kinds.ts";
import { api } from "../kit/api.ts";
import { Broker, type QueueBinding } from "../kit/broker.ts";
import { openEndpoint } from "../kit/endpoints.ts";
import {
  CAUSE,
  days,
  enqueueImport,
  enqueueJob,
  eventsOf,
  job,
  object,
  openAsset,
  rows,
  stopClock,
} from "../kit/market.ts";
import { deadLetterOf, deadLetterState, effectsOf, park } from "../kit/parked-jobs.ts";

let broker: Broker;
beforeAll(() => {
  stopClock();
  broker = new Broker();
});
beforeEach(() => broker.settle());

const path = (id: string, action: string) =>
  `/backoffice/dead-letters/${encodeURIComponent(id)}/${action}`;

/**
 * Every row of every table of the object, its alarm, and every row of every table of D1 but the
 * audit log.
 */
async function everything(symbol: string): Promise<string> {
  const inObject = await runInDurableObject(object(symbol), async (_, { storage }) => {
    const tables = storage.sql
      .exec<{ name: string }>(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'",
      )
      .toArray();
    const dump = tables.map(({ name }) => [
      name,
      storage.sql.exec(`SELECT * FROM "${name}"`).toArray(),
    ]);
    return [...dump, ["alarm", await storage.getAlarm()]];
  });
  const tables = await rows<{ name: string }>(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\' AND name <> 'audit_log'",
  );
  const inD1 = [];
  for (const { name } of tables) inD1.push([name, await rows(`SELECT * FROM "${name}"`)]);
  return JSON.stringify([inObject, inD1, [...broker.sent]]);
}

/** A dry run, which may change nothing but the audit log, where it leaves one row. */
async function dryRun(symbol: string, deadLetter: string): Promise<Record<string, unknown>> {
  const before = await everything(symbol);
  const audited = (await rows("SELECT 1 FROM audit_log")).length;
  const first = await api("POST", path(deadLetter, "dry-run"));
  expect(first.status, JSON.stringify(first.body)).toBe(200);
  expect(await everything(symbol)).toBe(before);
  expect(await rows("SELECT 1 FROM audit_log")).toHaveLength(audited + 1);
  // Looking again sees the same.
  expect((await api("POST", path(deadLetter, "dry-run"))).body["planHash"]).toBe(
    first.body["planHash"],
  );
  expect(before.length).toBeGreaterThan(1_000);
  return first.body;
}

const QUEUE_OF = {
  ingest: "INGEST_QUEUE",
  indicators: "INDICATORS_QUEUE",
  recommendation: "RECOMMENDATIONS_QUEUE",
} as const satisfies Record<string, QueueBinding>;

/** An asset whose newest job of a kind is parked just before it would have run. */
async function parkedAt(symbol: string, kind: keyof typeof QUEUE_OF): Promise<string> {
  await openAsset(symbol);
  await broker.settle();
  broker.put("INGEST_QUEUE", await enqueueImport(symbol, "a", days(40)));
  for (const queue of Object.values(QUEUE_OF)) {
    if (queue === QUEUE_OF[kind]) break;
    await broker.deliverDue(queue);
    await broker.deliverDue("EVENTS_QUEUE");
  }
  const [message] = broker.take(QUEUE_OF[kind]);
  return park(broker, message?.body as { jobId: string });
}

describe("a dry run of a job", () => {
  it.each([
    ["ingest", "MarketDataIngested", { bars: { count: 40 } }],
    ["indicators", "IndicatorsComputed", { items: { count: 40 } }],
    ["recommendation", "RecommendationGenerated", { resolution: "1d" }],
  ] as const)(
    "of kind %s tells the events and changes nothing; the redrive then does that",
    async (kind, eventType, payload) => {
      const symbol = `DRY-${kind.toUpperCase()}`;
      const deadLetter = await parkedAt(symbol, kind);
      const plan = await dryRun(symbol, deadLetter);
      expect(plan).toMatchObject({
        wouldSendTo: JOBS[kind].queue,
        outcome: "done",
        error: null,
        eventCount: 1,
        events: [{ eventType, schemaVersion: EVENT_TYPES[eventType].schemaVersion, payload }],
      });
      const redriven = await api("POST", path(deadLetter, "redrive"), {
        planHash: plan["planHash"],
      });
      expect(redriven.status).toBe(202);
      await broker.settle();
      const last = (await eventsOf(symbol)).find((event) => event.eventType === eventType);
      expect(last).toMatchObject({ jobId: expect.stringContaining(`${kind}|${symbol}|`) });
      expect(await deadLetterState(deadLetter)).toBe("redriven");
    },
  );

  it("tells what today's state makes of it, and a redrive with an older plan is refused", async () => {
    const deadLetter = await parkedAt("STALE", "ingest");
    const plan = await dryRun("STALE", deadLetter);
    // Half of the bars come in by another way.
    await object("STALE").ingest({
      symbol: "STALE",
      cause: CAUSE,
      jobId: "by hand",
      requestHash: "h",
      resolution: "1d",
      source: "import",
      scheduleId: null,
      slot: null,
      bars: days(20),
    });
    await broker.settle();
    const refused = await api("POST", path(deadLetter, "redrive"), { planHash: plan["planHash"] });
    expect(refused).toMatchObject({ status: 409, body: { code: "plan_changed" } });
    expect(await deadLetterState(deadLetter)).toBe("open");
    const now = await dryRun("STALE", deadLetter);
    expect(now).toMatchObject({ events: [{ payload: { bars: { count: 20 } } }] });
    expect(
      (await api("POST", path(deadLetter, "redrive"), { planHash: now["planHash"] })).status,
    ).toBe(202);
    await broker.settle();
    expect((await effectsOf("STALE")).at(-1)).toBe("a");
  });

  it("that would be refused or put off says so, with the error", async () => {
    const gone = await parkedAt("DRY-GONE", "ingest");
    await env.IMPORTS.delete("DRY-GONE/a");
    expect(await dryRun("DRY-GONE", gone)).toMatchObject({
      outcome: "refused",
      error: { code: "import.upload_missing" },
      events: [],
      eventCount: 0,
    });
    await openAsset("DRY-LATER");
    await broker.settle();
    const early = await park(broker, await enqueueJob("recommendation", "DRY-LATER", "a"));
    expect(await dryRun("DRY-LATER", early)).toMatchObject({
      outcome: "later",
      error: { code: "analysis.not_ready" },
    });
  });

  it("that reuses an id with another order says conflict, and does not even note it", async () => {
    const deadLetter = await parkedAt("DRY-CLASH", "ingest");
    await object("DRY-CLASH").ingest({
      symbol: "DRY-CLASH",
      cause: CAUSE,
      jobId: "ingest|DRY-CLASH|a",
      requestHash: "of another order",
      resolution: "1d",
      source: "import",
      scheduleId: null,
      slot: null,
      bars: days(3),
    });
    await broker.settle();
    expect(await dryRun("DRY-CLASH", deadLetter)).toMatchObject({
      outcome: "refused",
      error: { code: "job.payload_conflict" },
    });
  });

  it("of a large import is told in short, and nothing of it stays", async () => {
    await openAsset("DRY-LARGE");
    await broker.settle();
    const deadLetter = await park(broker, await enqueueImport("DRY-LARGE", "a", days(3_600)));
    const plan = await dryRun("DRY-LARGE", deadLetter);
    expect(plan["eventCount"]).toBeGreaterThan(5);
    expect(JSON.stringify(plan).length).toBeLessThan(100_000);
    expect(await eventsOf("DRY-LARGE")).toHaveLength(1);
  });

  it("does nothing for a job that is not parked any more", async () => {
    const deadLetter = await parkedAt("DRY-OVER", "ingest");
    await env.DB.prepare(
      "UPDATE jobs SET state = 'succeeded' WHERE id = 'ingest|DRY-OVER|a'",
    ).run();
    expect(await dryRun("DRY-OVER", deadLetter)).toMatchObject({
      outcome: "done",
      events: [],
      eventCount: 0,
    });
    expect((await job("ingest|DRY-OVER|a")).state).toBe("succeeded");
  });
});

describe("a dry run of an event", () => {
  it("tells the rows, jobs and deliveries that would be written, from wherever its stream is projected", async () => {
    await openEndpoint("hook-dry", ["asset.DRY-EVENT.#"]);
    await openAsset("DRY-EVENT");
    broker.put("INGEST_QUEUE", await enqueueImport("DRY-EVENT", "a", days(5)));
    await broker.deliverDue("INGEST_QUEUE");
    broker.take("EVENTS_QUEUE");
    const body = { streamId: "asset/DRY-EVENT", version: 2, event: null };
    await broker.deliver("DEAD_LETTERS_QUEUE", [deadLetterOf("dry event", body)]);
    const plan = await dryRun("DRY-EVENT", "dry event");
    const [registered, ingested] = await eventsOf("DRY-EVENT");
    expect(plan).toMatchObject({
      wouldSendTo: "events",
      outcome: "done",
      events: [{ eventType: "AssetRegistered" }, { eventType: "MarketDataIngested" }],
      rows: { events: 2, bars: 5 },
      jobs: ["indicators|DRY-EVENT|v2"],
      deliveries: [`hook-dry.${registered?.eventId}`, `hook-dry.${ingested?.eventId}`],
    });
    expect(
      (await api("POST", path("dry event", "redrive"), { planHash: plan["planHash"] })).status,
    ).toBe(202);
    await broker.deliverDue("EVENTS_QUEUE");
    expect(await rows("SELECT 1 FROM bars WHERE symbol = 'DRY-EVENT'")).toHaveLength(5);
    expect(await rows("SELECT 1 FROM jobs WHERE id = 'indicators|DRY-EVENT|v2'")).toHaveLength(1);
    await env.DB.prepare("DELETE FROM webhook_endpoints").run();
    broker.take("WEBHOOKS_QUEUE");
  });

  it("counts the row of a breaker", async () => {
    const service = "source:dry";
    await env.BREAKERS.getByName(service).trip(service, "maintenance", null, "test");
    broker.take("EVENTS_QUEUE");
    const body = { streamId: `breaker/${service}`, version: 1, event: null };
    await broker.deliver("DEAD_LETTERS_QUEUE", [deadLetterOf("dry breaker", body)]);
    const { body: plan } = await api("POST", path("dry breaker", "dry-run"));
    expect(plan).toMatchObject({
      events: [{ eventType: "CircuitOpened" }],
      rows: { events: 1, breakers: 1 },
    });
  });

  it("of a version that the log does not reach says so", async () => {
    await openAsset("DRY-AHEAD");
    const body = { streamId: "asset/DRY-AHEAD", version: 99, event: null };
    await broker.deliver("DEAD_LETTERS_QUEUE", [deadLetterOf("dry ahead", body)]);
    expect(await dryRun("DRY-AHEAD", "dry ahead")).toMatchObject({ outcome: "later", events: [] });
  });
});

describe("a dry run of a delivery", () => {
  it("tells the signed request, without the secret, and sends nothing", async () => {
    const called = vi
      .spyOn(globalThis, "fetch")
      .mockImplementation(async () => new Response("no", { status: 410 }));
    const endpoint = await openEndpoint("hook-signed", ["asset.DRY-HOOK.#"]);
    await openAsset("DRY-HOOK");
    await broker.settle();
    expect(called).toHaveBeenCalledTimes(1);
    await env.DB.prepare("UPDATE webhook_endpoints SET enabled = 1 WHERE id = 'hook-signed'").run();
    const [{ id } = { id: "" }] = await rows<{ id: string }>(
      "SELECT id FROM dead_letters WHERE queue = 'webhooks'",
    );
    const plan = await dryRun("DRY-HOOK", id);
    expect(called).toHaveBeenCalledTimes(1);
    called.mockRestore();
    expect(JSON.stringify(plan)).not.toContain(endpoint.secret);
    expect(JSON.stringify(plan)).not.toContain(endpoint.secret.replace("whsec_", ""));
    const request = plan["request"] as {
      url: string;
      headers: Record<string, string>;
      body: string;
    };
    expect(request.url).toBe(endpoint.url);
    // The judge of signatures looks at the real clock.
    vi.useRealTimers();
    const stamped = Number(request.headers["webhook-timestamp"]);
    vi.useFakeTimers({ toFake: ["Date"], now: stamped * 1000 });
    expect(new Webhook(endpoint.secret).verify(request.body, request.headers)).toMatchObject({
      subject: "asset/DRY-HOOK",
    });
  });
});
