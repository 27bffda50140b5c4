import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { readConfig } from "../../../src/config.ts";
import worker from "../../../src/worker.ts";

const deployed = { ...env, ENVIRONMENT: "production", WEBHOOK_ALLOW_LOOPBACK: "off" };

describe("the environment", () => {
  it("of a deployed installation is accepted without demo and loopback", () => {
    expect(readConfig(deployed)).toMatchObject({ DEMO: false, WEBHOOK_ALLOW_LOOPBACK: false });
  });

  it("changes the rules of alerts that it names, and only those", () => {
    const { ALERT_RULES } = readConfig({
      ...deployed,
      ALERT_RULES: '{"dead-letters":{"raise":1,"clear":0}}',
    });
    expect(ALERT_RULES.find(({ id }) => id === "dead-letters")).toMatchObject({
      raise: 1,
      clear: 0,
    });
    expect(ALERT_RULES.find(({ id }) => id === "error-rate")).toMatchObject({
      raise: 0.2,
      clear: 0.1,
    });
  });

  it("changes the order of sources where it says so, and only there", () => {
    const { SOURCE_FALLBACKS } = readConfig({
      ...deployed,
      SOURCE_FALLBACKS: '{"STOCK":["tiingo"]}',
    });
    expect(SOURCE_FALLBACKS).toEqual({
      STOCK: ["tiingo"],
      CRYPTO: ["coinbase", "kraken"],
      FX: ["frankfurter"],
    });
  });

  it("changes the pace of the vendors that it names, 0 included, and only theirs", () => {
    const { SOURCE_GAP_MS } = readConfig({
      ...deployed,
      SOURCE_GAP_MS: '{"yahoo":0,"tiingo":1500}',
    });
    expect(SOURCE_GAP_MS).toEqual({ yahoo: 0, tiingo: 1500 });
    expect(readConfig({ ...deployed, SOURCE_GAP_MS: "" }).SOURCE_GAP_MS).toEqual({});
  });

  it("of one's own machine may post alerts over http", () => {
    const change = {
      ALERT_WEBHOOK_URL: "http://127.0.0.1:9/",
      ALERT_WEBHOOK_SECRET: `whsec_${"a".repeat(24)}`,
    };
    expect(readConfig({ ...deployed, ENVIRONMENT: "local", ...change })).toMatchObject(change);
  });

  it.each([
    [{ SOURCE_GAP_MS: "{" }, /SOURCE_GAP_MS: not JSON/],
    [{ SOURCE_GAP_MS: '{"stooq":1}' }, /SOURCE_GAP_MS/],
    [{ SOURCE_GAP_MS: '{"yahoo":-1}' }, /SOURCE_GAP_MS: yahoo/],
    [{ SOURCE_GAP_MS: '{"yahoo":"fast"}' }, /SOURCE_GAP_MS: yahoo/],
    [{ SOURCE_FALLBACKS: "{" }, /SOURCE_FALLBACKS: not JSON/],
    [{ SOURCE_FALLBACKS: '{"BOND":[]}' }, /SOURCE_FALLBACKS/],
    [{ SOURCE_FALLBACKS: '{"STOCK":["stooq"]}' }, /SOURCE_FALLBACKS: STOCK/],
    [
      { SOURCE_FALLBACKS: '{"STOCK":["yahoo","yahoo"]}' },
      /SOURCE_FALLBACKS: STOCK names a source twice/,
    ],
    [{ VENDOR_SOURCES: "perhaps" }, /VENDOR_SOURCES/],
    [{ YAHOO_URL: "nowhere" }, /YAHOO_URL/],
    [{ TIINGO_URL: "http://tiingo.example" }, /over https only/],
    [{ TIINGO_API_KEY: "two words" }, /TIINGO_API_KEY/],
    [{ DEMO: "on" }, /DEMO: the demo source is refused/],
    [{ WEBHOOK_ALLOW_LOOPBACK: "on" }, /WEBHOOK_ALLOW_LOOPBACK: loopback webhooks are refused/],
    [{ ADMIN_API_KEY: "short" }, /ADMIN_API_KEY/],
    [{ ENCRYPTION_KEY: undefined }, /ENCRYPTION_KEY: set this secret/],
    [{ ENCRYPTION_KEY: "" }, /ENCRYPTION_KEY: write <key id>:<base64 of 32 bytes>/],
    [{ ENCRYPTION_KEY: "k1:dG9vIHNob3J0" }, /ENCRYPTION_KEY: .*44 characters/],
    [{ WEBHOOK_RETRY_SECONDS: "5,soon" }, /WEBHOOK_RETRY_SECONDS/],
    [{ SWEEP_AFTER_SECONDS: "0" }, /SWEEP_AFTER_SECONDS/],
    [{ PUBLIC_ORIGIN: "nowhere" }, /PUBLIC_ORIGIN/],
    [{ ALERT_RULES: "{" }, /ALERT_RULES: not JSON/],
    [{ ALERT_RULES: '{"no-such-rule":{}}' }, /ALERT_RULES/],
    [
      { ALERT_RULES: '{"dead-letters":{"raise":3,"clear":3}}' },
      /dead-letters clear must be below raise/,
    ],
    [{ ALERT_WEBHOOK_URL: "nowhere" }, /ALERT_WEBHOOK_URL/],
    [
      { ALERT_WEBHOOK_URL: "http://ops.example/", ALERT_WEBHOOK_SECRET: `whsec_${"a".repeat(24)}` },
      /ALERT_WEBHOOK_URL: alerts are posted over https only/,
    ],
    [{ PUBLIC_ORIGIN: "ftp://inversorai.example" }, /PUBLIC_ORIGIN/],
    [{ ALERT_WEBHOOK_URL: "https://ops.example/" }, /ALERT_WEBHOOK_SECRET: alerts are signed/],
    [{ ALERT_WEBHOOK_SECRET: "secret" }, /ALERT_WEBHOOK_SECRET: whsec_/],
  ])("with %o is refused, naming the variable", (change, reason) => {
    expect(() => readConfig({ ...deployed, ...change } as Env)).toThrow(reason);
  });

  it("that is wrong answers every request with a problem that tells nothing to strangers", async () => {
    const request = new Request("http://127.0.0.1/api/v1/assets") as Parameters<
      typeof worker.fetch
    >[0];
    const answer = await worker.fetch(
      request,
      { ...deployed, DEMO: "on" },
      createExecutionContext(),
    );
    expect(answer.status).toBe(503);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(await answer.text()).not.toMatch(/DEMO|demo/);
  });
});
