import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Deployment, deployProblems } from "../../../local/deploy-checks.ts";
import { readWorkerConfig } from "../../../local/worker-config.ts";

const root = join(import.meta.dirname, "../../..");
const { vars, secrets } = readWorkerConfig(readFileSync(join(root, "wrangler.toml"), "utf8"));

const GOOD: Deployment = {
  databaseId: "5f0c1b7e-3f5e-4d0a-9a51-0c2f1f1a7e11",
  routes: ["prices.acme.com"],
  workersDev: false,
  vars: { ...vars, PUBLIC_ORIGIN: "https://prices.acme.com" },
  secrets,
};
const origin = (text: string) => ({ vars: { ...GOOD.vars, PUBLIC_ORIGIN: text } });

describe("a deployment", () => {
  it("with a database, an address and its origin is let through", () => {
    expect(deployProblems(GOOD)).toEqual([]);
  });

  it.each([
    ["a route with a path", { routes: ["prices.acme.com/*"] }],
    ["a route of all names", { routes: ["*.acme.com/*"] }],
    [
      "workers.dev",
      { routes: [], workersDev: true, ...origin("https://inversorai.acme.workers.dev") },
    ],
    ["a slash behind the origin", origin("https://prices.acme.com/")],
    ["signed alerts", { vars: { ...GOOD.vars, ALERT_WEBHOOK_URL: "https://ops.acme.com/" } }],
  ])("with %s is let through", (_, change) => {
    expect(deployProblems({ ...GOOD, ...change })).toEqual([]);
  });

  it.each([
    [
      "the placeholder's database",
      { databaseId: "00000000-0000-0000-0000-000000000000" },
      /^database_id .* d1 create/,
    ],
    ["no database", { databaseId: undefined }, /^database_id/],
    ["a database's name", { databaseId: "inversorai" }, /^database_id/],
    ["no address", { routes: [] }, /^The Worker has no address: put routes =/],
    [
      "the placeholder's origin",
      origin("https://inversorai.example"),
      /^PUBLIC_ORIGIN=.* placeholder/,
    ],
    ["an origin over http", origin("http://prices.acme.com"), /^PUBLIC_ORIGIN=.* https/],
    [
      "an origin with a path",
      origin("https://prices.acme.com/api"),
      /^PUBLIC_ORIGIN=.* without a path/,
    ],
    ["no origin", origin(""), /^PUBLIC_ORIGIN=/],
    [
      "another's origin",
      origin("https://prices.other.com"),
      /^PUBLIC_ORIGIN=.* no route of it covers/,
    ],
    ["the origin above its routes", { routes: ["*.prices.acme.com/*"] }, /^PUBLIC_ORIGIN=/],
    [
      "a wrong variable",
      { vars: { ...GOOD.vars, LOG_LEVEL: "loud" } },
      /^LOG_LEVEL in wrangler\.toml: /,
    ],
    [
      "the demo",
      { vars: { ...GOOD.vars, DEMO: "on" } },
      /^DEMO in wrangler\.toml: the demo source is refused/,
    ],
    [
      "alerts over http",
      { vars: { ...GOOD.vars, ALERT_WEBHOOK_URL: "http://ops.acme.com/" } },
      /^ALERT_WEBHOOK_URL/,
    ],
  ])("with %s is refused by one sentence", (_, change, why) => {
    const problems = deployProblems({ ...GOOD, ...change });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(why);
  });

  it("of this repository as it is, is refused before anything is asked of Cloudflare", async () => {
    const env = { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent" };
    const { code, output } = await new Promise<{ code: unknown; output: string }>((resolve) => {
      execFile(
        process.execPath,
        [join(root, "local/deploy.ts")],
        { cwd: root, env },
        (error, stdout, stderr) =>
          resolve({ code: error?.code ?? 0, output: `${stdout}${stderr}` }),
      );
    });
    expect(code).toBe(1);
    const lines = output.trim().split("\n");
    expect(lines.map((line) => line.split(/[ =]/)[0])).toEqual([
      "database_id",
      "The",
      "PUBLIC_ORIGIN",
    ]);
  }, 60_000);
});
