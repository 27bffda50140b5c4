import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { CloudEvent } from "cloudevents";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { parseTraceparent } from "../../../src/domain/trace/traceparent.ts";
import { createSchedule } from "../../../src/records/jobs/schedule-records.ts";
import { deleteEndpoint } from "../../../src/records/webhooks/endpoint-records.ts";
import worker from "../../../src/worker.ts";
import { Broker } from "../kit/broker.ts";
import { openEndpoint } from "../kit/endpoints.ts";
import {
  days,
  enqueueImport,
  enqueueJob,
  eventsOf,
  openAsset,
  passSeconds,
  rows,
  START,
  stopClock,
} from "../kit/market.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT = `00-${TRACE}-00f067aa0ba902b7-01`;

interface Call {
  readonly url: string;
  readonly traceparent: string | null;
  readonly body: string;
}
const calls: Call[] = [];
let broker: Broker;
beforeAll(() => {
  stopClock();
  broker = new Broker();
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    const request = new Request(input, init);
    const traceparent = request.headers.get("traceparent");
    calls.push({ url: request.url, traceparent, body: await request.text() });
    return request.url.includes("prices")
      ? new Response("{}")
      : new Response(null, { status: 204 });
  });
});
beforeEach(() => void calls.splice(0));

async function api(
  method: string,
  path: string,
  traceparent: string | null,
  body?: string,
  type?: string,
) {
  const request = new Request(`http://127.0.0.1${path}`, {
    method,
    headers: {
      authorization: "Bearer test-admin-key-0123456789",
      "content-type": type ?? "application/json",
      ...(traceparent === null ? {} : { traceparent }),
    },
    body: body ?? null,
  });
  return worker.fetch(request as Parameters<typeof worker.fetch>[0], env, createExecutionContext());
}

const csv = (count: number): string =>
  `timestamp,open,high,low,close,volume\n${days(count)
    .map((bar) => [
      new Date(bar.timestamp).toISOString(),
      bar.open,
      bar.high,
      bar.low,
      bar.close,
      bar.volume,
    ])
    .map((row) => row.join(","))
    .join("\n")}\n`;

const traceOf = (traceparent: unknown): string | undefined =>
  parseTraceparent(String(traceparent))?.traceId;
const jobTraces = (symbol: string) =>
  rows<{ kind: string; traceparent: string | null }>(
    "SELECT kind, traceparent FROM jobs WHERE symbol = ? ORDER BY created_at, kind",
    symbol,
  );

describe("one trace", () => {
  it("leads from an HTTP import through jobs, messages, events and recommendation to the receiver", async () => {
    const endpoint = await openEndpoint("hook-trace", ["asset.TRACE.#"]);
    await openAsset("TRACE");
    await broker.settle();
    calls.splice(0);
    const answer = await api("POST", "/api/v1/assets/TRACE/bars", PARENT, csv(60), "text/csv");
    expect(answer.status).toBe(202);
    const answered = answer.headers.get("traceparent");
    expect(traceOf(answered)).toBe(TRACE);
    expect(answered).not.toBe(PARENT);
    for (let moved = true; moved; ) {
      for (const { body } of [
        ...broker.waiting("INGEST_QUEUE"),
        ...broker.waiting("INDICATORS_QUEUE"),
        ...broker.waiting("RECOMMENDATIONS_QUEUE"),
        ...broker.waiting("WEBHOOKS_QUEUE"),
      ]) {
        expect(traceOf((body as { traceparent?: string }).traceparent), JSON.stringify(body)).toBe(
          TRACE,
        );
      }
      moved = await broker.step();
    }
    expect(
      (await jobTraces("TRACE")).map(({ kind, traceparent }) => [kind, traceOf(traceparent)]),
    ).toEqual([
      ["indicators", TRACE],
      ["ingest", TRACE],
      ["recommendation", TRACE],
    ]);
    const events = (await eventsOf("TRACE")).filter(
      ({ eventType }) => eventType !== "AssetRegistered",
    );
    expect(events.map(({ eventType }) => eventType)).toEqual([
      "MarketDataIngested",
      "IndicatorsComputed",
      "RecommendationGenerated",
    ]);
    expect(events.map(({ traceparent }) => traceOf(traceparent))).toEqual([TRACE, TRACE, TRACE]);
    // Each attempt is a piece of work of its own.
    expect(new Set(events.map(({ traceparent }) => traceparent)).size).toBe(3);
    expect(calls).toHaveLength(3);
    for (const [at, { traceparent, body }] of calls.entries()) {
      expect(traceOf(traceparent)).toBe(TRACE);
      const received = new CloudEvent(JSON.parse(body) as Record<string, unknown>);
      expect(received.validate()).toBe(true);
      expect(received["traceparent"]).toBe(events[at]?.traceparent);
    }
    await deleteEndpoint(env.DB, endpoint.id).run();
  });

  it("is the caller's or a new one, on every answer, refusals too", async () => {
    const path = "/api/v1/assets";
    expect(traceOf((await api("GET", path, PARENT)).headers.get("traceparent"))).toBe(TRACE);
    expect(traceOf((await api("GET", "/nowhere", PARENT)).headers.get("traceparent"))).toBe(TRACE);
    const own = [
      null,
      "nonsense",
      `ff${PARENT.slice(2)}`,
      `00-${"0".repeat(32)}-00f067aa0ba902b7-01`,
    ];
    const started = await Promise.all(
      own.map(async (sent) => traceOf((await api("GET", path, sent)).headers.get("traceparent"))),
    );
    expect(new Set(started).size).toBe(own.length);
    expect(started).not.toContain(undefined);
  });

  it("begins anew in work of before traces were carried, and goes on from there", async () => {
    await openAsset("OLD");
    const message = await enqueueImport("OLD", "untraced", days(30));
    expect(message).not.toHaveProperty("traceparent");
    broker.put("INGEST_QUEUE", message);
    await broker.settle();
    const [ingested, ...later] = (await eventsOf("OLD")).slice(1);
    expect(traceOf(ingested?.traceparent)).toBeDefined();
    expect(later.map(({ traceparent }) => traceOf(traceparent))).toEqual([
      traceOf(ingested?.traceparent),
      traceOf(ingested?.traceparent),
    ]);
  });

  it("starts with each slot, and stays the same when a crash has the slot handed on again", async () => {
    await openAsset("SLOT", { source: "demo" });
    await createSchedule(env.DB, {
      id: "SLOT",
      name: "SLOT",
      kind: "ingest",
      target: { symbol: "SLOT" },
      cadence: { type: "interval", everySeconds: 600, anchor: START },
      overlap: "allow",
      catchUpSeconds: 3600,
      jitterSeconds: 0,
      createdAt: Date.now(),
      updatedAt: Date.now(),
      pausedAt: null,
      doneUntil: Date.now(),
      nextDue: Date.now() + 600_000,
    }).run();
    passSeconds(1_200);
    await broker.tick();
    const traces = broker
      .take("SCHEDULE_QUEUE")
      .map(({ body }) => traceOf(Reflect.get(Object(body), "traceparent")));
    expect(new Set(traces).size).toBe(2);
    // The messages are lost; after the lease the next tick hands the slots on.
    passSeconds(120);
    await broker.tick();
    const again = broker
      .waiting("SCHEDULE_QUEUE")
      .map(({ body }) => traceOf(Reflect.get(Object(body), "traceparent")));
    expect(again.toSorted()).toEqual(traces.toSorted());
    await broker.deliverDue("SCHEDULE_QUEUE");
    expect(
      (await jobTraces("SLOT")).map(({ traceparent }) => traceOf(traceparent)).toSorted(),
    ).toEqual(traces.toSorted());
    broker.take("INGEST_QUEUE");
    await env.DB.prepare("DELETE FROM schedules").run();
  });

  it("is told to the price source", async () => {
    await openAsset("PRICED", { source: "demo" });
    const params = { mode: "source", until: Date.now(), backfill: true } as const;
    const message = await enqueueJob("ingest", "PRICED", "traced", { params, traceparent: PARENT });
    broker.put("INGEST_QUEUE", message);
    const demo = { ...env, DEMO: "on", DEMO_SOURCE_URL: "http://prices.example" } as Env;
    await broker.deliver("INGEST_QUEUE", broker.take("INGEST_QUEUE"), demo);
    expect(calls.map(({ traceparent }) => traceOf(traceparent))).toEqual([TRACE]);
    expect(calls[0]?.traceparent).not.toBe(PARENT);
  });

  it("is told by the event of a job that failed for good", async () => {
    await openAsset("FAILS");
    const params = { mode: "import", objectKey: "nowhere", format: "csv" } as const;
    broker.put(
      "INGEST_QUEUE",
      await enqueueJob("ingest", "FAILS", "gone", { params, traceparent: PARENT }),
    );
    await broker.settle();
    const [row] = await rows<{ body: string }>(
      "SELECT body FROM events WHERE stream_id = 'job/ingest|FAILS|gone'",
    );
    expect(traceOf((JSON.parse(row?.body ?? "{}") as { traceparent?: string }).traceparent)).toBe(
      TRACE,
    );
  });
});

describe("a log line of a job", () => {
  it("says whose trace, job, asset and attempt it is about, and nothing of an upload's rows", async () => {
    await openAsset("LOGGED");
    const bars = days(3).map((bar) => ({ ...bar, close: -77.125 }));
    const message = await enqueueImport("LOGGED", "bad", bars);
    await env.DB.prepare("UPDATE jobs SET traceparent = ? WHERE id = ?")
      .bind(PARENT, message.jobId)
      .run();
    const lines: string[] = [];
    const warn = vi
      .spyOn(console, "warn")
      .mockImplementation((line: string) => void lines.push(line));
    broker.put("INGEST_QUEUE", message);
    await broker.settle();
    warn.mockRestore();
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({
      level: "warn",
      message: "job attempt failed",
      traceId: TRACE,
      tenantId: "default",
      queue: "inversorai-ingest",
      jobId: message.jobId,
      asset: "LOGGED",
      attempt: 1,
      error: { code: "bars.refused" },
    });
    expect(lines[0]).not.toContain("77.125");
  });
});
