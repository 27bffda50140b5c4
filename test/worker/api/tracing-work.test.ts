import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { AnyEvent } from "../../../src/domain/events/envelope.ts";
import { parseTraceparent } from "../../../src/domain/trace/traceparent.ts";
import { breakerObject } from "../../../src/wiring/platform/platform.ts";
import { api } from "../kit/api.ts";
import { Broker } from "../kit/broker.ts";
import { openEndpoint } from "../kit/endpoints.ts";
import { days, enqueueImport, openAsset, passSeconds, rows, stopClock } from "../kit/market.ts";
import { archived, bringBars, processOf, untilEnded, wish } from "../kit/onboarding.ts";
import { damage, finish, grow } from "../kit/reconciled-asset.ts";

/* Work that is more than a job: processes, comparisons with the logs, rebuilds, breakers. One trace leads through it. */

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const TRACED = { traceparent: `00-${TRACE}-00f067aa0ba902b7-01` };
const OVERDUE = Number(env.SWEEP_AFTER_SECONDS) + 1;

const posts: { readonly url: string; readonly traceparent: string | null }[] = [];
let lines: Record<string, unknown>[] = [];
let answer = 204;
let broker: Broker;
beforeAll(() => {
  stopClock();
  broker = new Broker();
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    const request = new Request(input, init);
    posts.push({ url: request.url, traceparent: request.headers.get("traceparent") });
    return new Response(null, { status: answer });
  });
  for (const method of ["log", "warn", "error"] as const) {
    vi.spyOn(console, method).mockImplementation(
      (line: string) => void lines.push(JSON.parse(line)),
    );
  }
});
beforeEach(async () => {
  await broker.settle();
  posts.splice(0);
  lines = [];
  answer = 204;
});

const traceOf = (traceparent: unknown): string | undefined =>
  parseTraceparent(String(traceparent))?.traceId;
const tracesOf = (found: readonly { readonly traceparent?: string | null }[]) =>
  found.map(({ traceparent }) => traceOf(traceparent));
const feedOf = async (stream: string) =>
  (
    await rows<{ body: string }>(
      "SELECT body FROM events WHERE stream_id = ? ORDER BY version",
      stream,
    )
  ).map(({ body }) => JSON.parse(body) as AnyEvent);
const auditOf = (subject: string) =>
  rows<{ action: string; traceparent: string | null }>(
    "SELECT action, traceparent FROM audit_log WHERE subject = ? ORDER BY id",
    subject,
  );

const WORK = [
  "INGEST_QUEUE",
  "INDICATORS_QUEUE",
  "RECOMMENDATIONS_QUEUE",
  "WEBHOOKS_QUEUE",
  "PROCESSES_QUEUE",
  "RECONCILE_QUEUE",
] as const;

/** Every message that waits, of every kind of work, is of the trace. */
function expectTraced(trace = TRACE): void {
  for (const { body } of WORK.flatMap((queue) => broker.waiting(queue))) {
    expect(traceOf(Reflect.get(Object(body), "traceparent")), JSON.stringify(body)).toBe(trace);
  }
}

async function begin(symbol: string, source?: string): Promise<string> {
  const { body } = await api("POST", "/processes", wish(symbol, source), TRACED);
  return String(body["processId"]);
}

describe("the trace of a process", () => {
  it("leads from the request through its jobs, events, audit and log to the receiver", async () => {
    await openEndpoint("hook-process", ["asset.WALK.#"]);
    const id = await begin("WALK");
    expectTraced();
    expect(broker.waiting("PROCESSES_QUEUE")).toHaveLength(1);
    for (let step = 0; step < 2; step++) {
      await broker.deliverDue("PROCESSES_QUEUE");
      expect(broker.waiting("PROCESSES_QUEUE")).toHaveLength(1);
      expectTraced();
    }
    await bringBars("WALK");
    for (let moved = true; moved; moved = await broker.step()) expectTraced();
    expect(await untilEnded(broker, id)).toBe("completed");

    const jobs = await rows<{ traceparent: string }>(
      "SELECT traceparent FROM jobs WHERE symbol = 'WALK'",
    );
    expect(tracesOf(jobs)).toEqual([TRACE, TRACE, TRACE]);
    const events = await feedOf("asset/WALK");
    expect(events.map(({ eventType }) => eventType)).toEqual([
      "AssetRegistered",
      "MarketDataIngested",
      "IndicatorsComputed",
      "RecommendationGenerated",
    ]);
    expect(new Set(tracesOf(events))).toEqual(new Set([TRACE]));
    // Each of them is a piece of work of its own.
    expect(new Set(events.map(({ traceparent }) => traceparent)).size).toBe(4);
    expect(posts).toHaveLength(4);
    expect(new Set(tracesOf(posts))).toEqual(new Set([TRACE]));

    const audit = [
      ...(await auditOf(id)),
      ...(await auditOf("WALK")),
      ...(await auditOf("WALK is onboarded")),
    ];
    expect(audit.map(({ action }) => action)).toEqual([
      "process.start",
      "process.completed",
      "asset.register",
      "notification.send",
    ]);
    expect(tracesOf(audit)).toEqual([TRACE, TRACE, TRACE, TRACE]);
    expect(lines.filter(({ processId }) => processId === id)).toMatchObject([
      { message: "asset told", traceId: TRACE, tenantId: "default" },
      { message: "notification", traceId: TRACE, tenantId: "default" },
    ]);
    const { body } = await api("GET", `/processes/${encodeURIComponent(id)}`);
    expect(traceOf(body["traceparent"])).toBe(TRACE);
    await rows("DELETE FROM webhook_endpoints");
  });

  it("is still the first one when it is asked for again, found by the sweep, and taken back", async () => {
    const id = await begin("AGAIN", "import");
    broker.take("PROCESSES_QUEUE");
    await api("POST", "/processes", wish("AGAIN", "import"));
    expect(broker.waiting("PROCESSES_QUEUE")).toHaveLength(1);
    expectTraced();
    broker.take("PROCESSES_QUEUE");
    passSeconds(OVERDUE);
    await broker.tick();
    expect(broker.waiting("PROCESSES_QUEUE")).toHaveLength(1);
    expectTraced();
    expect(await untilEnded(broker, id)).toBe("completed");
    await api("POST", `/processes/${encodeURIComponent(id)}/compensate`, { reason: "not wanted" });
    expectTraced();
    expect(await untilEnded(broker, id)).toBe("compensated");
    expect(await archived("AGAIN")).toBe(true);
    const events = await feedOf("asset/AGAIN");
    expect(events.map(({ eventType }) => eventType)).toEqual(["AssetRegistered", "AssetUpdated"]);
    expect(tracesOf(events)).toEqual([TRACE, TRACE]);
    const { traceparent } =
      (await auditOf(id)).find(({ action }) => action === "process.compensate") ?? {};
    // What a person does about it is a request of its own.
    expect(traceOf(traceparent)).toBeDefined();
    expect(traceOf(traceparent)).not.toBe(TRACE);
  });

  it("is told by the line of a step that failed", async () => {
    const id = await begin("BROKEN", "import");
    const ASSET_OBJECTS = {
      getByName: () => ({ register: () => Promise.reject(new Error("out")) }),
    };
    await broker.deliverDueOn("PROCESSES_QUEUE", { ...env, ASSET_OBJECTS } as unknown as Env);
    expect(lines.filter(({ message }) => message === "process step failed")).toMatchObject([
      { processId: id, traceId: TRACE, queue: "inversorai-processes" },
    ]);
    expect(await untilEnded(broker, id)).toBe("completed");
  });

  it("begins once in a process of before traces were carried, and its messages hand it on", async () => {
    const id = await begin("OLDER", "import");
    await rows("UPDATE processes SET traceparent = NULL");
    broker.take("PROCESSES_QUEUE");
    broker.put("PROCESSES_QUEUE", { processId: id });
    await broker.deliverDue("PROCESSES_QUEUE");
    const [first] = await feedOf("asset/OLDER");
    const [message] = broker.waiting("PROCESSES_QUEUE");
    const trace = traceOf(Reflect.get(Object(message?.body), "traceparent"));
    expect(trace).toBeDefined();
    await broker.deliverDue("PROCESSES_QUEUE");
    expectTraced(trace);
    await broker.settle();
    const registered = first ?? (await feedOf("asset/OLDER"))[0];
    expect(traceOf(registered?.traceparent)).toBe(trace);
    expect((await processOf(id)).progress.state).toBe("completed");
  });
});

describe("the trace of a comparison with the logs", () => {
  it("leads from the request through its steps and events to the receiver", async () => {
    await grow(broker, "COMPARED");
    await openEndpoint("hook-runs", ["reconciliation.#"]);
    await damage(
      "UPDATE bars SET close = close + 1 WHERE symbol = 'COMPARED' AND timestamp = 1577836800000",
    );
    const wanted = { depth: "deep", symbols: ["COMPARED"], repair: true };
    const { body } = await api("POST", "/backoffice/reconciliations", wanted, TRACED);
    const id = String(body["id"]);
    expect(traceOf(body["traceparent"])).toBe(TRACE);
    expect(broker.waiting("RECONCILE_QUEUE")).toHaveLength(1);
    expectTraced();
    // The first message is lost; what the sweep sends is of the same trace.
    broker.take("RECONCILE_QUEUE");
    passSeconds(OVERDUE);
    await broker.tick();
    expect(broker.waiting("RECONCILE_QUEUE")).toHaveLength(1);
    for (let moved = true; moved; moved = await broker.step()) expectTraced();
    expect(await finish(broker, id)).toMatchObject({ state: "done", diverged: 1, repaired: 1 });
    const events = await feedOf(`reconciliation/${id}`);
    expect(events.map(({ eventType }) => eventType)).toEqual([
      "ReadModelDiverged",
      "ReadModelRepaired",
    ]);
    expect(tracesOf(events)).toEqual([TRACE, TRACE]);
    expect(tracesOf(posts.filter(({ url }) => url.endsWith("hook-runs")))).toEqual([TRACE, TRACE]);
    expect(tracesOf(await auditOf(id))).toEqual([TRACE]);
    await rows("DELETE FROM webhook_endpoints");
  });

  it("is told by the line of a log that cannot be read", async () => {
    const wanted = { depth: "deep", symbols: ["COMPARED"] };
    const { body } = await api("POST", "/backoffice/reconciliations", wanted, TRACED);
    const ASSET_OBJECTS = {
      getByName: () => ({
        compareHead: async () => ({ version: 4, hashAt: null, waitingSince: null }),
        readLog: () => Promise.reject(new Error("out")),
      }),
    };
    // Heads first, logs then.
    for (let message = 0; message < 2; message++) {
      await broker.deliverDueOn("RECONCILE_QUEUE", { ...env, ASSET_OBJECTS } as unknown as Env);
    }
    const told = lines.filter(({ reconciliationId }) => reconciliationId === body["id"]);
    expect(told.length).toBeGreaterThan(0);
    expect(new Set(told.map(({ traceId }) => traceId))).toEqual(new Set([TRACE]));
    await finish(broker, String(body["id"]));
  });

  it("starts by itself in a scheduled run", async () => {
    await broker.tick(Date.now(), { ...env, RECONCILE_EVERY_HOURS: "24" });
    const [run] = await rows<{ id: string; traceparent: string }>(
      "SELECT id, traceparent FROM reconciliations WHERE trigger = 'schedule'",
    );
    expect(traceOf(run?.traceparent)).toBeDefined();
    expect(broker.waiting("RECONCILE_QUEUE")).toHaveLength(1);
    expectTraced(traceOf(run?.traceparent));
    await finish(broker, run?.id ?? "");
  });

  it("leads through a rebuild too", async () => {
    const path = "/backoffice/projections/indicators/rebuilds";
    const { body } = await api("POST", path, {}, TRACED);
    expect(traceOf(body["traceparent"])).toBe(TRACE);
    let seen = 0;
    for (let moved = true; moved; moved = await broker.step()) {
      seen += broker.waiting("RECONCILE_QUEUE").length;
      expectTraced();
    }
    expect(seen).toBeGreaterThan(0);
    expect((await api("GET", `${path}/${body["id"]}`)).body).toMatchObject({ state: "ready" });
    expect(tracesOf(await auditOf(String(body["id"])))).toEqual([TRACE]);
  });
});

describe("the trace of trouble with a service", () => {
  it("is that of the request that trips or resets a breaker", async () => {
    for (const act of ["trip", "reset"]) {
      await api("POST", `/backoffice/breakers/source:yahoo/${act}`, { reason: "a bill" }, TRACED);
    }
    const { events } = await breakerObject(env, "source:yahoo").readEvents("source:yahoo", 0, 10);
    expect(events.map(({ eventType }) => eventType)).toEqual(["CircuitOpened", "CircuitClosed"]);
    expect(tracesOf(events as AnyEvent[])).toEqual([TRACE, TRACE]);
  });

  it("is that of the event whose delivery found it out", async () => {
    await openAsset("GONE");
    await openEndpoint("hook-gone", ["asset.GONE.MarketDataIngested"]);
    await broker.settle();
    answer = 410;
    const message = await enqueueImport("GONE", "history", days(3));
    await rows("UPDATE jobs SET traceparent = ? WHERE id = ?", TRACED.traceparent, message.jobId);
    broker.put("INGEST_QUEUE", message);
    await broker.settle();
    const [disabled] = await feedOf("endpoint/hook-gone");
    expect(disabled).toMatchObject({ eventType: "EndpointDisabled" });
    expect(traceOf(disabled?.traceparent)).toBe(TRACE);
    expect(tracesOf(await auditOf("hook-gone"))).toEqual([TRACE]);
  });
});
