import { env, exports } from "cloudflare:workers";
import { beforeAll, describe, expect, test, vi } from "vitest";
import * as z from "zod";
import { api } from "../kit/api.ts";

const raw = (method: string, path: string, headers: Readonly<Record<string, string>> = {}) =>
  exports.default.fetch(
    new Request(`http://127.0.0.1${path}`, {
      method,
      headers: { authorization: `Bearer ${env.ADMIN_API_KEY}`, ...headers },
    }),
  );

beforeAll(async () => {
  await api("POST", "/assets", {
    symbol: "KNOWN",
    type: "STOCK",
    currency: "USD",
    source: "import",
  });
});

describe("methods", () => {
  test("HEAD is answered wherever GET is, with the same status and no body", async () => {
    for (const path of [
      "/api/v1/assets",
      "/api/v1/assets/KNOWN",
      "/api/v1/assets/NOPE",
      "/health",
      "/api/docs",
    ]) {
      const [got, headed] = [await raw("GET", path), await raw("HEAD", path)];
      expect({ path, status: headed.status }).toStrictEqual({ path, status: got.status });
      expect(headed.headers.get("content-type")).toBe(got.headers.get("content-type"));
      expect(await headed.text()).toBe("");
      await got.text();
    }
  });

  test.each([
    ["/api/v1/assets", "GET, HEAD, POST, OPTIONS"],
    ["/api/v1/assets/KNOWN", "GET, HEAD, PATCH, DELETE, OPTIONS"],
    ["/api/v1/jobs/x/cancel", "POST, OPTIONS"],
    ["/health", "GET, HEAD, OPTIONS"],
  ])(
    "%s says what it answers, to OPTIONS and to a method it does not know",
    async (path, allow) => {
      const asked = await exports.default.fetch(
        new Request(`http://127.0.0.1${path}`, { method: "OPTIONS" }),
      );
      expect([asked.status, asked.headers.get("allow"), await asked.text()]).toStrictEqual([
        204,
        allow,
        "",
      ]);
      expect(asked.headers.get("access-control-allow-origin")).toBeNull();
      const put = await raw("PUT", path);
      expect([put.status, put.headers.get("allow")]).toStrictEqual([405, allow]);
      expect(await put.json()).toMatchObject({ status: 405, code: "method_not_allowed" });
    },
  );

  test("a path that nobody knows is not found, whatever the method", async () => {
    for (const method of ["OPTIONS", "GET", "PUT"]) {
      const answer = await raw(method, "/api/v1/nothing-here");
      expect([answer.status, answer.headers.get("allow")]).toStrictEqual([404, null]);
      await answer.text();
    }
  });
});

describe("the rate limit", () => {
  const restOf = (answer: { readonly headers: Headers }) => {
    const [, rest = "", seconds = ""] =
      /^"default";r=(\d+);t=(\d+)$/.exec(answer.headers.get("ratelimit") ?? "") ?? [];
    return { rest: Number(rest), seconds: Number(seconds) };
  };

  const keyOf = async (): Promise<string> => {
    const made = await api("POST", "/backoffice/api-keys", {
      name: "limited",
      scopes: ["assets:read"],
    });
    return z.string().parse(made.body["key"]);
  };

  test("every answer to a key says what remains of its own quota, and one less after each request", async () => {
    const mine = { authorization: `Bearer ${await keyOf()}` };
    const rests: number[] = [];
    for (const path of ["/assets", "/assets/NOPE", "/assets?limit=0", "/jobs"]) {
      const answer = await api("GET", path, undefined, mine);
      expect(answer.headers.get("ratelimit-policy")).toBe('"default";q=3000;w=60');
      const { rest, seconds } = restOf(answer);
      expect(seconds).toBeGreaterThanOrEqual(1);
      expect(seconds).toBeLessThanOrEqual(60);
      rests.push(rest);
    }
    // A minute may turn in between; then the count begins anew.
    for (const [index, rest] of rests.entries())
      expect([(rests[index - 1] ?? 3000) - 1, 2999]).toContain(rest);
    expect(
      restOf(await api("GET", "/assets", undefined, { authorization: `Bearer ${await keyOf()}` }))
        .rest,
    ).toBe(2999);
  });

  test("a key that has spent it is refused, told when to come back, and has nothing left until then", async () => {
    const mine = { authorization: `Bearer ${await keyOf()}` };
    const limiter = Object.getPrototypeOf(env.RATE_LIMITER) as typeof env.RATE_LIMITER;
    const spy = vi.spyOn(limiter, "limit").mockResolvedValue({ success: false });
    const refusal = await api("GET", "/assets", undefined, mine);
    spy.mockRestore();
    expect(refusal).toMatchObject({ status: 429, body: { status: 429, code: "rate_limited" } });
    const { rest, seconds } = restOf(refusal);
    expect([rest, refusal.headers.get("retry-after")]).toStrictEqual([0, String(seconds)]);
    // Another isolate's share may have been let go of meanwhile; ours knows better than to promise
    // anything.
    const after = restOf(await api("GET", "/assets", undefined, mine));
    if (after.seconds <= seconds) expect(after.rest).toBe(0);
  });
});
