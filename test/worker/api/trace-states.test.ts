import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { TRACE_STATE_LIFETIME_MS } from "../../../src/records/operations/trace-state-records.ts";
import { claimDeliveries } from "../../../src/records/webhooks/delivery-records.ts";
import worker from "../../../src/worker.ts";
import { Broker } from "../kit/broker.ts";
import { openEndpoint } from "../kit/endpoints.ts";
import { days, openAsset, passSeconds, rows, stopClock } from "../kit/market.ts";

const STATE = "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE";
const traced = (digit: string): string => `00-${digit.repeat(32)}-00f067aa0ba902b7-01`;

interface Call {
  readonly traceparent: string | null;
  readonly tracestate: string | null;
}
const calls: Call[] = [];
let broker: Broker;
beforeAll(async () => {
  stopClock();
  broker = new Broker();
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    const { headers } = new Request(input, init);
    calls.push({ traceparent: headers.get("traceparent"), tracestate: headers.get("tracestate") });
    return new Response(null, { status: 204 });
  });
  await openEndpoint("hook-states", ["asset.#"]);
});
beforeEach(async () => {
  await broker.settle();
  calls.splice(0);
  await env.DB.prepare("DELETE FROM trace_states").run();
});

const csv = `timestamp,open,high,low,close,volume\n${days(30)
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

/** Several values of a name are several headers, as a client may send them. */
async function request(
  method: string,
  path: string,
  headers: [string, string][],
  key = "test-admin-key-0123456789",
) {
  const body = method === "POST" ? csv : null;
  const sent = new Headers([
    ["authorization", `Bearer ${key}`],
    ["content-type", "text/csv"],
  ]);
  for (const [name, value] of headers) sent.append(name, value);
  const asked = new Request(`http://127.0.0.1/api/v1${path}`, { method, headers: sent, body });
  return worker.fetch(asked as Parameters<typeof worker.fetch>[0], env, createExecutionContext());
}

/** An import under these headers, carried through to the receiver. */
async function importWith(symbol: string, headers: [string, string][]): Promise<Call[]> {
  await openAsset(symbol);
  await broker.settle();
  calls.splice(0);
  expect((await request("POST", `/assets/${symbol}/bars`, headers)).status).toBe(202);
  await broker.settle();
  return calls;
}

const kept = () =>
  rows<{ traceId: string; state: string }>("SELECT trace_id AS traceId, state FROM trace_states");

describe("a request's tracestate", () => {
  it("reaches the receiver of everything that the request set off, beside its traceparent", async () => {
    const received = await importWith("STATED", [
      ["traceparent", traced("a")],
      ["tracestate", STATE],
    ]);
    expect(received.map(({ tracestate }) => tracestate)).toEqual([STATE, STATE, STATE]);
    expect(received.every(({ traceparent }) => traceparent?.includes("a".repeat(32)))).toBe(true);
    expect(await kept()).toEqual([{ traceId: "a".repeat(32), state: STATE }]);
  });

  it("of several headers is one list", async () => {
    const headers: [string, string][] = [
      ["traceparent", traced("b")],
      ["tracestate", "foo=1"],
      ["tracestate", "bar=2 ,baz=3"],
    ];
    const received = await importWith("SEVERAL", headers);
    expect(received.map(({ tracestate }) => tracestate)).toEqual(
      Array(3).fill("foo=1,bar=2,baz=3"),
    );
  });

  it.each([
    ["without a traceparent", "BARE", [["tracestate", STATE]]],
    [
      "beside a traceparent that is none",
      "FALSE",
      [
        ["traceparent", `00-${"0".repeat(32)}-00f067aa0ba902b7-01`],
        ["tracestate", STATE],
      ],
    ],
    [
      "with a key twice",
      "TWICE",
      [
        ["traceparent", traced("c")],
        ["tracestate", "foo=1"],
        ["tracestate", "foo=2"],
      ],
    ],
    [
      "that is none",
      "BROKEN",
      [
        ["traceparent", traced("d")],
        ["tracestate", "foo"],
      ],
    ],
  ] as [string, string, [string, string][]][])("%s goes nowhere", async (_, symbol, headers) => {
    const received = await importWith(symbol, headers);
    expect(received).toHaveLength(3);
    expect(received.map(({ tracestate }) => tracestate)).toEqual([null, null, null]);
    expect(await kept()).toEqual([]);
  });

  it("leaves a row only for what may change something and was allowed to", async () => {
    const headers: [string, string][] = [
      ["traceparent", traced("e")],
      ["tracestate", STATE],
    ];
    expect((await request("GET", "/assets", headers)).status).toBe(200);
    expect((await request("HEAD", "/assets", headers)).status).toBe(200);
    expect((await request("POST", "/assets/STATED/bars", headers, "nobody")).status).toBe(401);
    expect(await kept()).toEqual([]);
  });

  it("is not in the log", async () => {
    const lines: string[] = [];
    const spies = (["debug", "info", "warn", "error", "log"] as const).map((level) =>
      vi.spyOn(console, level).mockImplementation((line: unknown) => void lines.push(String(line))),
    );
    await importWith("SILENT", [
      ["traceparent", traced("f")],
      ["tracestate", "secret=hush"],
    ]);
    for (const spy of spies) spy.mockRestore();
    expect(calls[0]?.tracestate).toBe("secret=hush");
    expect(lines.join("\n")).not.toContain("hush");
  });

  it("is forgotten after its week by the sweep, through an index, and not before", async () => {
    await importWith("WEEK", [
      ["traceparent", traced("1")],
      ["tracestate", STATE],
    ]);
    passSeconds(TRACE_STATE_LIFETIME_MS / 1000 - 5);
    await broker.tick();
    expect(await kept()).toHaveLength(1);
    passSeconds(10);
    await broker.tick();
    expect(await kept()).toEqual([]);
    const plan = await rows<{ detail: string }>(
      `EXPLAIN QUERY PLAN DELETE FROM trace_states WHERE trace_id IN
         (SELECT trace_id FROM trace_states WHERE created_at <= 1 ORDER BY created_at LIMIT 2)`,
    );
    expect(plan.map(({ detail }) => detail).join()).not.toMatch(/SCAN trace_states/);
  });
});

describe("a delivery", () => {
  it("of an event that cannot be read any more does not keep others from being taken", async () => {
    await importWith("TORN", [
      ["traceparent", traced("2")],
      ["tracestate", STATE],
    ]);
    await env.DB.prepare(
      `UPDATE deliveries SET state = 'pending', due_at = 1
       WHERE event_id IN (SELECT event_id FROM events WHERE stream_id = 'asset/TORN' AND version > 1)`,
    ).run();
    const ids = await rows<{ id: string; event: string }>(
      "SELECT id, event_id AS event FROM deliveries WHERE state = 'pending' ORDER BY id",
    );
    expect(ids.length).toBeGreaterThan(1);
    await env.DB.prepare("UPDATE events SET body = '{torn' WHERE event_id = ?")
      .bind(ids[0]?.event)
      .run();
    const taken = await claimDeliveries(
      env.DB,
      ids.map(({ id }) => id),
      2,
      3,
    );
    expect(taken.map(({ tracestate }) => tracestate).toSorted()).toEqual(
      [...Array(ids.length - 1).fill(STATE), null].toSorted(),
    );
  });
});
