import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import * as z from "zod";
import { freePort } from "../../local/ports.ts";
import { until } from "./api.ts";
import { isAlive } from "./processes.ts";
import { freshFolder, StartedProcess, startSystem, stopEverything } from "./system.ts";
import { assetView, problemView } from "./views.ts";

/** Long enough for a terminal to wait, and far longer than it takes. */
const STOP_MS = 10_000;

afterAll(stopEverything);

/** Sees every process there ever was, also those that come and go while the system starts. */
function watchTree(started: StartedProcess): { seen: Set<number>; end: () => void } {
  const seen = new Set<number>();
  const look = () => {
    for (const pid of started.tree()) seen.add(pid);
  };
  look();
  const timer = setInterval(look, 50);
  return { seen, end: () => clearInterval(timer) };
}

describe("stopping", () => {
  test.each([
    ["while the migrations run", "applying migrations", 700],
    ["while the worker starts", "starting the worker", 1_500],
  ])("Ctrl-C %s leaves no process behind and prints no error", async (_when, line, laterMs) => {
    const starting = new StartedProcess(await freePort(), { env: { DEMO: "off" } });
    const { seen, end } = watchTree(starting);
    await until(line, async () => (starting.output.includes(line) ? true : null), { everyMs: 20 });
    await sleep(laterMs);
    expect(starting.output).not.toMatch(/^ready /m);
    const { ms, code } = await starting.stop("SIGINT");
    end();
    expect(ms).toBeLessThan(STOP_MS);
    expect(code).toBe(0);
    expect([...seen].filter(isAlive)).toStrictEqual([]);
    expect(starting.output).not.toMatch(/error|failed/i);
    expect(starting.lines.at(-1)).toBe(
      `stopped; the state is in ${starting.stateDir}, and npm start goes on from there`,
    );
  });
});

describe("with DEMO=off", () => {
  test("it starts empty, on the real clock, with the key it was given, and ends on SIGTERM", async () => {
    const key = "a-key-of-my-own-0123456789";
    const system = await startSystem({
      env: { DEMO: "off", ADMIN_API_KEY: key, LOG_LEVEL: "debug", LOG_LEVLE: "x" },
    });
    expect(system.key).toBe(key);
    expect(system.output).toContain(
      "LOG_LEVLE is not a variable that npm start knows; is LOG_LEVEL meant?",
    );
    expect(await system.api.all("/assets", assetView)).toStrictEqual([]);
    const ready = z.object({ marketNow: z.iso.datetime(), demo: z.literal(false) });
    const { marketNow } = await system.api.get(`${system.origin}/ready`, ready);
    expect(Math.abs(Date.now() - Date.parse(marketNow))).toBeLessThan(120_000);
    const demo = { symbol: "SPX", type: "STOCK", currency: "USD", source: "demo" };
    const refused = await system.api.json("POST", "/assets", demo);
    expect(refused.status).toBe(422);
    expect(problemView.parse(JSON.parse(refused.text)).errors?.[0]?.field).toBe("source");
    const asset = { symbol: "ACME", type: "STOCK", currency: "USD", source: "import" };
    await system.api.create("/assets", asset, z.looseObject({}));
    await until("a line at the level that was asked for", async () =>
      /^\{"level":"debug",/m.test(system.output.split(/^ready /m)[1] ?? "") ? true : null,
    );
    const { ms, code, left } = await system.stop("SIGTERM");
    expect({ code, left }).toStrictEqual({ code: 0, left: [] });
    expect(ms).toBeLessThan(STOP_MS);
  });
});

describe("a start that fails prints the reason in one line", () => {
  const listener = createServer();
  afterEach(() => listener.close());

  test("a port in use", async () => {
    const port = await new Promise<number>((resolve) => {
      listener.listen(0, "127.0.0.1", () => {
        const address = listener.address();
        resolve(typeof address === "object" && address !== null ? address.port : 0);
      });
    });
    const starting = new StartedProcess(port, { stateDir: freshFolder() });
    expect(await starting.ended).toBe(1);
    expect(starting.lines).toHaveLength(1);
    expect(starting.lines[0]).toContain(`port ${port} is in use`);
  });

  test.each([
    [
      { ALERT_WEBHOOK_URL: "http://127.0.0.1:9/alerts" },
      /^alerts are signed: .*ALERT_WEBHOOK_SECRET/,
    ],
    [{ ALERT_WEBHOOK_SECRET: "hush-hush-hush-hush-hush" }, /^ALERT_WEBHOOK_SECRET is not whsec_/],
  ])("alerts that cannot be signed, without printing the secret", async (env, why) => {
    const starting = new StartedProcess(await freePort(), { env });
    expect(await starting.ended).toBe(1);
    expect(starting.lines).toHaveLength(1);
    expect(starting.lines[0]).toMatch(why);
    expect(starting.output).not.toContain("hush");
  });

  const file = join(freshFolder(), "a-file");
  writeFileSync(file, "");
  test.each([
    ["ADMIN_API_KEY", "short"],
    ["REPLAY_SPEED", "fast"],
    ["REPLAY_SPEED", "0"],
    ["ENGINES", "{"],
    ["ENGINES", '[{"name":"x","weight":-1,"engine":"rules"}]'],
    ["LLM_PROVIDER", "skynet"],
    ["LLM_PROVIDER", "workers-ai"],
    ["LLM_TIMEOUT_SECONDS", "3600"],
    ["LLM_AUDIT_RETENTION_DAYS", "0"],
    ["WEBHOOK_RETRY_SECONDS", "5,soon"],
    ["WEBHOOK_ALLOW_LOOPBACK", "maybe"],
    ["DEMO", "maybe"],
    ["SWEEP_AFTER_SECONDS", "never"],
    ["RETRY_POLICIES", '{"ingest":{"type":"backoff"}}'],
    ["SOURCE_GAP_MS", '{"yahoo":-1}'],
    ["SOURCE_FALLBACKS", '{"BOND":[]}'],
    ["VENDOR_SOURCES", "perhaps"],
    ["KRAKEN_URL", "nowhere"],
    ["TIINGO_API_KEY", "two words"],
    ["LOG_LEVEL", "loud"],
    ["RECONCILE_EVERY_HOURS", "-1"],
    ["ALERT_RULES", '{"no-such-rule":{}}'],
    ["TICK_SECONDS", "0"],
    ["STATE_DIR", file],
    ["STATE_DIR", join(file, "in-it")],
    ["STATE_DIR", homedir()],
    ["STATE_DIR", tmpdir()],
  ])(
    "%s=%s is refused before anything starts, by a sentence that names it",
    async (name, value) => {
      const starting = new StartedProcess(await freePort(), { env: { [name]: value } });
      expect(await starting.ended).toBe(1);
      expect(starting.lines).toHaveLength(1);
      expect(starting.lines[0]).toMatch(new RegExp(`(^|; )${name}\\b`));
      expect(starting.output).not.toMatch(/^\s+at /m);
    },
  );

  test("several at once, all of them named", async () => {
    const env = { LOG_LEVEL: "loud", SWEEP_AFTER_SECONDS: "0", ADMIN_API_KEY: "hush-hush" };
    const starting = new StartedProcess(await freePort(), { env });
    expect(await starting.ended).toBe(1);
    expect(starting.lines).toHaveLength(1);
    for (const name of Object.keys(env)) expect(starting.output).toContain(name);
    expect(starting.output).not.toContain("hush");
  });

  test.each(["abc", "0", "70000", "-1", "80.5"])("PORT=%s", async (text) => {
    const starting = new StartedProcess(1, { env: { PORT: text } });
    expect(await starting.ended).toBe(1);
    expect(starting.lines).toStrictEqual([`PORT=${text} is not a port number`]);
  });
});
