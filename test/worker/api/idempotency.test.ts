import { env, exports } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { type Answer, api } from "../kit/api.ts";
import { Broker } from "../kit/broker.ts";
import { as, keyFor } from "../kit/keys.ts";
import { passSeconds, rows, stopClock } from "../kit/market.ts";

const DAY_SECONDS = 86_400;
const SECRET = /whsec_|inv_[a-z0-9]{12}_/;

let broker: Broker;
beforeAll(() => {
  stopClock();
  broker = new Broker();
});

const keyed = (
  path: string,
  body: unknown,
  key: string,
  extra: Record<string, string> = {},
): Promise<Answer> => api("POST", path, body, { "idempotency-key": key, ...extra });
const keptRows = () =>
  rows<{ key: string; body: string | null }>("SELECT key, body FROM idempotency_keys");
const endpoint = (path: string) => ({ url: `http://127.0.0.1:9/${path}`, patterns: ["#"] });

/** What every route that shows a secret once is asked, by its path in the OpenAPI document. */
const WISHES: Readonly<Record<string, () => unknown>> = {
  "/backoffice/api-keys": () => ({ name: "kept", scopes: ["jobs:read"] }),
  "/webhook-endpoints": () => endpoint("kept"),
};

interface Described {
  readonly paths: Record<
    string,
    Record<string, { responses: Record<string, { content?: unknown }> }>
  >;
}

async function described(): Promise<Described["paths"]> {
  const answer = await exports.default.fetch("http://127.0.0.1/api/openapi.json");
  return ((await answer.json()) as Described).paths;
}

/** Routes whose answer has a field that holds a secret. */
async function secretRoutes(): Promise<string[]> {
  return Object.entries(await described()).flatMap(([path, { post }]) =>
    /"(key|secret|token|password)":\{/.test(JSON.stringify(post?.responses ?? {})) ? [path] : [],
  );
}

describe("a secret that is shown once", () => {
  it("has a wish below for each route that shows one", async () => {
    expect((await secretRoutes()).sort()).toEqual(Object.keys(WISHES).sort());
  });

  it.each(Object.keys(WISHES))(
    "is not kept by %s, and a repetition says so and makes nothing",
    async (path) => {
      const own = await keyed(path, WISHES[path]?.(), `once for ${path}`);
      const repeated = await keyed(path, WISHES[path]?.(), `once for ${path}`);
      const field = path === "/webhook-endpoints" ? "secret" : "key";
      expect(own.body[field]).toMatch(SECRET);
      expect(repeated.status).toBe(201);
      expect(repeated.headers.get("idempotency-replayed")).toBe("true");
      expect(repeated.body).toEqual({
        ...own.body,
        [field]: null,
        withheld: expect.stringContaining("If that answer was lost"),
      });
      for (const { body } of await keptRows()) expect(body ?? "").not.toMatch(SECRET);
    },
  );

  it("is blotted out wherever else it stands in an answer that is kept", async () => {
    const { body } = await keyed(
      "/schedules",
      { name: "whsec_c2VjcmV0c2VjcmV0", target: {}, cadence: {} },
      "odd",
    );
    expect(body["code"]).toBe("validation_failed");
    for (const row of await keptRows()) expect(row.body ?? "").not.toMatch(SECRET);
  });
});

describe("an Idempotency-Key", () => {
  it("is known by every route that is sent a POST", async () => {
    const paths = Object.entries(await described()).flatMap(([path, { post }]) =>
      post ? [path] : [],
    );
    expect(paths.length).toBeGreaterThan(20);
    for (const path of paths) {
      const sent = path.replace(/\{\w+\}/g, "NONE");
      // What a route does not read is refused before it is anything to know again; {} is nothing.
      await keyed(sent, {}, `known ${path}`);
      const kept = (await keptRows()).filter(({ key }) => key.endsWith(`known ${path}`));
      expect(kept, path).toHaveLength(1);
    }
  });

  it("that belongs to another body or another route is refused with 422", async () => {
    await keyed("/webhook-endpoints", endpoint("a"), "mine");
    const otherBody = await keyed("/webhook-endpoints", endpoint("b"), "mine");
    expect([otherBody.status, otherBody.body["code"]]).toEqual([422, "idempotency_conflict"]);
    expect(otherBody.body["detail"]).toContain("another body");
    const otherRoute = await keyed(
      "/backoffice/api-keys",
      { name: "x", scopes: ["jobs:read"] },
      "mine",
    );
    expect([otherRoute.status, otherRoute.body["code"]]).toEqual([422, "idempotency_conflict"]);
    expect(otherRoute.body["detail"]).toContain("/api/v1/webhook-endpoints");
    expect(otherRoute.headers.get("content-type")).toBe("application/problem+json");
    expect(await rows("SELECT id FROM api_keys WHERE name = 'x'")).toEqual([]);
  });

  it("of another API key is another key", async () => {
    const other = await keyFor(["webhooks:write"]);
    expect((await keyed("/webhook-endpoints", endpoint("c"), "shared")).status).toBe(201);
    expect((await keyed("/webhook-endpoints", endpoint("d"), "shared", as(other))).status).toBe(
      201,
    );
  });

  it("whose request is in flight answers 409, also when it is carried out a second time", async () => {
    const body = endpoint("slow");
    await keyed("/webhook-endpoints", body, "slow");
    // As an earlier Worker left it, which died an hour ago; and another has just taken it up.
    await env.DB.prepare(
      "UPDATE idempotency_keys SET status = NULL, body = NULL, claimed_at = ? WHERE key LIKE '% slow'",
    )
      .bind(Date.now() - 30_000)
      .run();
    passSeconds(20);
    const busy = await keyed("/webhook-endpoints", body, "slow");
    expect([busy.status, busy.body["code"]]).toEqual([409, "idempotency_in_progress"]);
    passSeconds(60);
    expect((await keyed("/webhook-endpoints", body, "slow")).status).toBe(201);
  });

  it("leaves no row when the request had no right to be made", async () => {
    const reader = await keyFor(["jobs:read"]);
    const before = await keptRows();
    const refused = await keyed("/webhook-endpoints", endpoint("no"), "no right", as(reader));
    expect(refused.status).toBe(403);
    const nowhere = await keyed("/nowhere", {}, "nowhere");
    expect(nowhere.status).toBe(404);
    expect(await keptRows()).toEqual(before);
  });

  it("is new again after a day, and its row is pruned", async () => {
    await keyed("/webhook-endpoints", endpoint("day"), "for a day");
    passSeconds(DAY_SECONDS - 5);
    const replayed = await keyed("/webhook-endpoints", endpoint("day"), "for a day");
    expect(replayed.headers.get("idempotency-replayed")).toBe("true");
    passSeconds(10);
    const anew = await keyed("/webhook-endpoints", endpoint("another day"), "for a day");
    expect([anew.status, anew.headers.get("idempotency-replayed")]).toEqual([201, null]);
    passSeconds(DAY_SECONDS + 10);
    await broker.tick();
    expect(await keptRows()).toEqual([]);
  });

  it("is looked up and pruned through an index", async () => {
    const plan = await rows<{ detail: string }>(
      `EXPLAIN QUERY PLAN DELETE FROM idempotency_keys WHERE key IN
         (SELECT key FROM idempotency_keys WHERE created_at <= 1 ORDER BY created_at LIMIT 2)`,
    );
    expect(plan.map(({ detail }) => detail).join()).not.toMatch(/SCAN idempotency_keys/);
  });
});
