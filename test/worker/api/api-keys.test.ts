import { env, exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { api } from "../kit/api.ts";
import { as, keyFor, makeKey } from "../kit/keys.ts";
import { rows } from "../kit/market.ts";

describe("a key that may make keys", () => {
  it("passes on the scopes it holds, and only those", async () => {
    const warden = await keyFor(["keys:admin", "jobs:read"]);
    await keyFor(["jobs:read"], warden);
    await keyFor(["keys:admin", "jobs:read"], warden);
    const before = await rows("SELECT id FROM api_keys");
    const { status, body } = await makeKey(
      { name: "more", scopes: ["jobs:read", "jobs:write"] },
      warden,
    );
    expect([status, body["code"]]).toEqual([403, "forbidden"]);
    expect(body["detail"]).toContain("jobs:write");
    expect(body["errors"]).toEqual([
      { field: "scopes.1", reason: "your own key does not hold it", value: "jobs:write" },
    ]);
    expect(await rows("SELECT id FROM api_keys")).toEqual(before);
  });

  it("cannot widen itself over several keys", async () => {
    const warden = await keyFor(["keys:admin"]);
    const heir = await keyFor(["keys:admin"], warden);
    for (const scope of ["ops:write", "assets:read", "webhooks:write"]) {
      expect(
        (await makeKey({ name: "heir", scopes: ["keys:admin", scope] }, heir)).status,
        scope,
      ).toBe(403);
    }
    expect((await makeKey({ name: "all", scopes: ["*"] }, heir)).status).toBe(422);
  });
});

describe("a key's end", () => {
  it.each([
    ["long ago", "2001-01-01T00:00:00Z"],
    ["this very moment", new Date(Date.now() - 1).toISOString()],
  ])("is refused when it is %s", async (_, expiresAt) => {
    const { status, body } = await makeKey({ name: "spent", scopes: ["jobs:read"], expiresAt });
    expect([status, body["code"]]).toEqual([422, "validation_failed"]);
    expect(body["errors"]).toEqual([
      { field: "expiresAt", reason: expect.stringContaining("is not in the future") },
    ]);
  });

  it("is taken when it is to come", async () => {
    const expiresAt = new Date(Date.now() + 60_000).toISOString();
    expect(
      (await makeKey({ name: "brief", scopes: ["jobs:read"], expiresAt })).body["expiresAt"],
    ).toBe(expiresAt);
  });
});

describe("the Authorization header", () => {
  const ask = (authorization: string) =>
    exports.default.fetch("http://127.0.0.1/api/v1/backoffice/api-keys", {
      headers: { authorization },
    });

  it.each([
    `Bearer ${env.ADMIN_API_KEY} anything`,
    `Bearer ${env.ADMIN_API_KEY} ${env.ADMIN_API_KEY}`,
    `Bearer ${env.ADMIN_API_KEY},realm="x"`,
    `Bearer ${env.ADMIN_API_KEY}, Basic eDp5`,
    `Bearer\t${env.ADMIN_API_KEY}`,
    `Bearer`,
    `Bearer ${"x".repeat(300)}`,
    `Basic ${env.ADMIN_API_KEY}`,
    `${env.ADMIN_API_KEY}`,
    `Token Bearer ${env.ADMIN_API_KEY}`,
  ])("is refused as %s", async (authorization) => {
    const answer = await ask(authorization);
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toMatch(/^Bearer /);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
  });

  it.each(["Bearer", "bearer", "BEARER", "bEaReR", "Bearer  "])(
    "takes the scheme as %s",
    async (scheme) => {
      const answer = await ask(`${scheme} ${env.ADMIN_API_KEY}`);
      expect(answer.status).toBe(200);
    },
  );
});

describe("a request to make a key that failed after it took effect", () => {
  it("makes one key when it is repeated, and that one opens", async () => {
    const key = { "idempotency-key": "one key" };
    const wish = { name: "repeated", scopes: ["jobs:read"] };
    const first = await api("POST", "/backoffice/api-keys", wish, key);
    await env.DB.prepare(
      "UPDATE idempotency_keys SET status = 0, body = NULL WHERE key LIKE '%one key'",
    ).run();
    const again = await api("POST", "/backoffice/api-keys", wish, key);
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(again.body["id"]).toBe(first.body["id"]);
    expect(await rows("SELECT id FROM api_keys WHERE name = 'repeated'")).toEqual([
      { id: first.body["id"] },
    ]);
    expect((await api("GET", "/jobs", undefined, as(String(again.body["key"])))).status).toBe(200);
    expect((await api("GET", "/jobs", undefined, as(String(first.body["key"])))).status).toBe(401);
  });
});
