import { createServer } from "node:net";
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
  });
});

describe("with DEMO=off", () => {
  test("it starts empty, on the real clock, with the key it was given, and ends on SIGTERM", async () => {
    const key = "a-key-of-my-own-0123456789";
    const system = await startSystem({ env: { DEMO: "off", ADMIN_API_KEY: key } });
    expect(system.key).toBe(key);
    expect(await system.api.all("/assets", assetView)).toStrictEqual([]);
    const ready = z.object({ marketNow: z.iso.datetime(), demo: z.literal(false) });
    const { marketNow } = await system.api.get(`${system.origin}/ready`, ready);
    expect(Math.abs(Date.now() - Date.parse(marketNow))).toBeLessThan(120_000);
    const demo = { symbol: "SPX", type: "STOCK", currency: "USD", source: "demo" };
    const refused = await system.api.json("POST", "/assets", demo);
    expect(refused.status).toBe(422);
    expect(problemView.parse(JSON.parse(refused.text)).errors?.[0]?.field).toBe("source");
    const { ms, code, left } = await system.stop("SIGTERM");
    expect({ code, left }).toStrictEqual({ code: 0, left: [] });
    expect(ms).toBeLessThan(STOP_MS);
  });
});

describe("what cannot start says why in one line", () => {
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
    [{ ALERT_WEBHOOK_URL: "http://127.0.0.1:9/alerts" }, /^alerts are signed: .*ALERT_WEBHOOK_SECRET/],
    [{ ALERT_WEBHOOK_SECRET: "hush-hush-hush-hush-hush" }, /^ALERT_WEBHOOK_SECRET is not whsec_/],
  ])("alerts that cannot be signed, without telling the secret", async (env, why) => {
    const starting = new StartedProcess(await freePort(), { env });
    expect(await starting.ended).toBe(1);
    expect(starting.lines).toHaveLength(1);
    expect(starting.lines[0]).toMatch(why);
    expect(starting.output).not.toContain("hush");
  });

  test.each(["abc", "0", "70000", "-1", "80.5"])("PORT=%s", async (text) => {
    const starting = new StartedProcess(1, { env: { PORT: text } });
    expect(await starting.ended).toBe(1);
    expect(starting.lines).toStrictEqual([`PORT=${text} is not a port number`]);
  });
});
