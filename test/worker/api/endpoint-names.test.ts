import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { webhooksDeps } from "../../../src/wiring/consumers/webhooks.ts";
import { platform } from "../../../src/wiring/platform/platform.ts";
import worker from "../../../src/worker.ts";
import { api } from "../kit/api.ts";
import { Broker } from "../kit/broker.ts";
import { openEndpoint } from "../kit/endpoints.ts";
import { rows, stopClock } from "../kit/market.ts";

const RESOLVER = "https://resolver.example/dns-query";
const checked = { ...env, ENDPOINT_DNS_CHECK: RESOLVER };
let called: string[] = [];

/** The outside: a resolver that leads everything where it is told, and receivers that take all. */
function outside(leadsTo: string): void {
  called = [];
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input) => {
    const url = input instanceof Request ? input.url : String(input);
    called.push(url);
    if (!url.startsWith(RESOLVER)) return new Response(null, { status: 204 });
    return Response.json({ Status: 0, Answer: [{ type: 1, data: leadsTo }] });
  });
}

beforeAll(() => {
  stopClock();
  new Broker();
});
afterEach(() => void vi.restoreAllMocks());

const register = async (method: string, path: string, url: string) => {
  const request = new Request(`http://127.0.0.1/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${env.ADMIN_API_KEY}`, "content-type": "application/json" },
    body: JSON.stringify(method === "POST" ? { url, patterns: ["#"] } : { url }),
  }) as Parameters<typeof worker.fetch>[0];
  const answer = await worker.fetch(request, checked, createExecutionContext());
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
};

const call = (endpointId: string, secret: string) =>
  webhooksDeps(platform(checked)).call({
    endpointId,
    eventType: "MarketDataIngested",
    url: "https://rebound.example/hook",
    secret,
    id: "event",
    body: "{}",
    traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    tracestate: null,
  });

describe("an endpoint whose name leads into a private network", () => {
  it("is refused when it is registered, and when an endpoint is given its URL", async () => {
    outside("10.0.0.7");
    const refused = await register("POST", "/webhook-endpoints", "https://inside.example/hook");
    expect([refused.status, refused.body["code"]]).toEqual([422, "validation_failed"]);
    expect(refused.body["errors"]).toEqual([
      { field: "url", reason: "inside.example leads to 10.0.0.7, which is not a public address" },
    ]);
    expect(
      await rows("SELECT id FROM webhook_endpoints WHERE url LIKE '%inside.example%'"),
    ).toEqual([]);
    const { id } = await openEndpoint("named", ["#"]);
    const changed = await register(
      "PATCH",
      `/webhook-endpoints/${id}`,
      "https://inside.example/hook",
    );
    expect(changed.status).toBe(422);
    outside("93.184.215.14");
    expect(
      (await register("POST", "/webhook-endpoints", "https://public.example/hook")).status,
    ).toBe(201);
  });

  it("is not called when its name has come to lead there since", async () => {
    const { id, secret } = await openEndpoint("rebound", ["#"]);
    outside("127.0.0.1");
    expect(await call(id, secret)).toMatchObject({
      status: null,
      error: "rebound.example leads to 127.0.0.1, which is not a public address",
    });
    expect(called.filter((url) => !url.startsWith(RESOLVER))).toEqual([]);
    outside("93.184.215.14");
    expect(await call(id, secret)).toMatchObject({ status: 204 });
  });

  it("is asked of nobody outside this machine by default", async () => {
    outside("127.0.0.1");
    const wish = { url: "https://local.example/hook", patterns: ["#"] };
    expect((await api("POST", "/webhook-endpoints", wish)).status).toBe(201);
    expect(called).toEqual([]);
  });
});

describe("a call whose secret does not open", () => {
  it("is a failed attempt that will be made again, and nothing is sent", async () => {
    outside("93.184.215.14");
    const { id } = await openEndpoint("unsealable", ["#"]);
    expect(await call(id, "sealed:1:gone:AAAA")).toMatchObject({
      status: null,
      error: "the endpoint's secret cannot be opened: see ENCRYPTION_KEY",
    });
    expect(called).toEqual([]);
  });
});
