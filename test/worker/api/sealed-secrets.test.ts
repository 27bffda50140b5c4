import { env } from "cloudflare:workers";
import { Webhook } from "standardwebhooks";
import { beforeAll, describe, expect, it } from "vitest";
import { endpointsToSeal } from "../../../src/records/webhooks/endpoint-records.ts";
import { platform } from "../../../src/wiring/platform/platform.ts";
import { opened, sealSecrets } from "../../../src/wiring/platform/sealing.ts";
import { api } from "../kit/api.ts";
import { Broker } from "../kit/broker.ts";
import { openEndpoint } from "../kit/endpoints.ts";
import { rows, stopClock } from "../kit/market.ts";

let broker: Broker;
beforeAll(() => {
  stopClock();
  broker = new Broker();
});

const bytes = (from: number) =>
  btoa(String.fromCharCode(...Array.from({ length: 32 }, (_, at) => from + at)));
const OLD = `old:${bytes(1)}`;
const NEW = `new:${bytes(101)}`;
const under = (ENCRYPTION_KEY: string) => platform({ ...env, ENCRYPTION_KEY });
const secretOf = async (id: string) =>
  (await rows<{ secret: string }>(`SELECT secret FROM webhook_endpoints WHERE id = '${id}'`))[0]
    ?.secret ?? "";

/** Every text in every row of every table of D1. */
async function everything(): Promise<string> {
  const tables = await rows<{ name: string }>(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '_cf%' AND name NOT LIKE 'sqlite%'",
  );
  const all = await Promise.all(tables.map(({ name }) => rows(`SELECT * FROM "${name}"`)));
  return JSON.stringify(all);
}

describe("a secret", () => {
  it("of an endpoint or a key lies nowhere in D1 in clear, however it was asked for", async () => {
    const wish = { url: "http://127.0.0.1:9/sealed", patterns: ["#"] };
    const endpoint = await api("POST", "/webhook-endpoints", wish, { "idempotency-key": "sealed" });
    const plain = await api("POST", "/webhook-endpoints", wish);
    const key = await api("POST", "/backoffice/api-keys", { name: "k", scopes: ["jobs:read"] });
    const secrets = [
      endpoint.body["secret"],
      plain.body["secret"],
      key.body["key"],
      env.ADMIN_API_KEY,
    ].map(String);
    await broker.tick();
    const all = await everything();
    for (const secret of secrets) {
      expect(secret.length).toBeGreaterThan(10);
      expect(all).not.toContain(secret.replace("whsec_", ""));
    }
    expect(await secretOf(String(endpoint.body["id"]))).toMatch(/^sealed:1:test:/);
  });

  it("that lay in clear is sealed by a tick, and still signs", async () => {
    const { id, secret } = await openEndpoint("from-before", ["#"]);
    expect(await secretOf(id)).toBe(secret);
    await broker.tick();
    expect(await secretOf(id)).toMatch(/^sealed:1:test:/);
    const again = await opened(platform(env), id, await secretOf(id));
    expect(again).toBe(secret);
    expect(() => new Webhook(secret)).not.toThrow();
  });

  it("is sealed anew under a new first key, after which the older one can go", async () => {
    const { id, secret } = await openEndpoint("rotated", ["#"]);
    await sealSecrets(under(OLD), 100);
    expect(await secretOf(id)).toMatch(/^sealed:1:old:/);
    await sealSecrets(under(`${NEW},${OLD}`), 100);
    expect(await secretOf(id)).toMatch(/^sealed:1:new:/);
    expect(await opened(under(NEW), id, await secretOf(id))).toBe(secret);
    expect(await sealSecrets(under(`${NEW},${OLD}`), 100)).toBe(0);
  });

  it("whose key is gone stays as it is, and keeps nobody else waiting", async () => {
    const lost = await openEndpoint("a-lost", ["#"]);
    await sealSecrets(under(OLD), 100);
    const sealed = await secretOf(lost.id);
    const clear = await openEndpoint("z-clear", ["#"]);
    expect(await sealSecrets(under(NEW), 1)).toBe(1);
    expect(await secretOf(lost.id)).toBe(sealed);
    expect(await secretOf(clear.id)).toMatch(/^sealed:1:new:/);
    expect(await opened(under(NEW), lost.id, sealed)).toBeNull();
  });

  it("that is moved to another endpoint does not open there", async () => {
    const p = under(OLD);
    await openEndpoint("giver", ["#"]);
    await openEndpoint("taker", ["#"]);
    await sealSecrets(p, 100);
    expect(await opened(p, "taker", await secretOf("giver"))).toBeNull();
  });

  it("to be sealed is found through an index", async () => {
    expect(await endpointsToSeal(env.DB, ["sealed:1:none:"], 10)).toEqual([]);
    const plan = await rows<{ detail: string }>(
      `EXPLAIN QUERY PLAN SELECT id, secret FROM webhook_endpoints WHERE secret < 'sealed:' OR secret >= 'sealed;'
       UNION ALL SELECT w.id, w.secret FROM json_each('["sealed:1:a:"]') AS one CROSS JOIN webhook_endpoints w
         ON w.secret > one.value AND w.secret < substr(one.value, 1, length(one.value) - 1) || ';' LIMIT 2`,
    );
    expect(plan.map(({ detail }) => detail).join("\n")).not.toMatch(/SCAN (w$|webhook_endpoints)/m);
  });
});
