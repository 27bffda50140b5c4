import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { freePort } from "../../local/ports.ts";
import { until } from "./api.ts";
import { isAlive } from "./processes.ts";
import { sendRaw } from "./raw-http.ts";
import { listeningSockets } from "./sockets.ts";
import { freshFolder, StartedProcess, type System, startSystem, stopEverything } from "./system.ts";
import { barView } from "./views.ts";

/** "Within seconds", on a machine that does other things as well. */
const GONE_MS = 15_000;
const hasProc = existsSync("/proc/self/stat");

const ready = z.looseObject({ marketNow: z.iso.datetime(), lastTickAt: z.iso.datetime() });

afterAll(stopEverything);

const gone = (pids: readonly number[]) =>
  until("the end of every process", async () => (pids.some(isAlive) ? null : true), {
    timeoutMs: GONE_MS,
  });

/** A folder as earlier versions left it: open to everybody. */
function openFolder(): string {
  const folder = freshFolder();
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, "v3/r2"), { recursive: true, mode: 0o755 });
  writeFileSync(join(folder, "v3/r2/of-before"), "bars", { mode: 0o644 });
  writeFileSync(join(folder, "secrets.env"), "ADMIN_API_KEY=of-before", { mode: 0o644 });
  return folder;
}

describe("a running npm start", () => {
  let system: System;
  const stateDir = openFolder();
  beforeAll(async () => {
    system = await startSystem({ stateDir });
  });

  test.runIf(hasProc)(
    "listens on its port and the demo server's, and nothing else on the machine listens",
    () => {
      const sockets = listeningSockets(system.tree()).map(({ pid, address }) => ({
        own: pid === system.pid,
        address,
      }));
      const tcp = sockets.filter(({ address }) => !address.startsWith("unix "));
      // Both are the starter's own: the demo server has some port of 127.0.0.1.
      expect(tcp).toHaveLength(2);
      expect(tcp.map(({ address }) => address)).toContain(`tcp 127.0.0.1:${system.port}`);
      for (const { own, address } of tcp) {
        expect(own).toBe(true);
        expect(address).toMatch(/^tcp 127\.0\.0\.1:/);
      }
      for (const { address } of sockets.filter(({ address }) => address.startsWith("unix "))) {
        const path = address.slice("unix ".length);
        expect(lstatSync(dirname(path)).mode & 0o777, path).toBe(0o700);
      }
    },
  );

  test.each([
    "/cdn-cgi/handler/scheduled?time=4102444800000",
    "/cdn-cgi/local/scheduled?time=4102444800000",
    "/cdn-cgi/mf/scheduled?time=4102444800000",
    "/x/../cdn-cgi/local/scheduled?time=4102444800000",
    "/x/%2e%2e/cdn-cgi/local/scheduled?time=4102444800000",
    "//cdn-cgi/local/scheduled?time=4102444800000",
    "/CDN-CGI/local/scheduled",
    "/cdn-cgi/local/explorer",
    "/cdn-cgi/local/platform-proxy",
    "/cdn-cgi/local/email",
    "/cdn-cgi/local/r2/s3/inversorai-imports",
    "/cdn-cgi/local/r2/public/inversorai-imports/x",
    "/cdn-cgi/live-reload",
    "/cdn-cgi",
    "/__cf_local/stream/x",
  ])("exposes %s to no caller, and its clock stays unchanged", async (path) => {
    for (const method of ["GET", "POST"]) {
      const headers = {
        "MF-Op": "GET",
        "MF-Original-URL": `${system.origin}/cdn-cgi/local/scheduled`,
      };
      expect((await sendRaw(system.origin, { method, path, headers })).status, method).toBe(404);
    }
    const { marketNow, lastTickAt } = await system.api.get(`${system.origin}/ready`, ready);
    expect(Date.parse(marketNow)).toBeLessThan(Date.UTC(2021, 0, 1));
    expect(Math.abs(Date.parse(lastTickAt) - Date.now())).toBeLessThan(120_000);
  });

  test.each([
    "evil.example",
    "evil.example:80",
    "127.0.0.1.evil.example",
    "0.0.0.0",
    "127.0.0.1, evil.example",
  ])(
    "answers nothing under the host name %j, whatever the request's other address headers",
    async (host) => {
      for (const path of ["/", "/metrics", "/health"]) {
        const headers = { host, "MF-Original-URL": `${system.origin}${path}` };
        const { status, text } = await sendRaw(system.origin, { method: "GET", path, headers });
        expect([400, 421], path).toContain(status);
        expect(text).not.toMatch(/SPX|scheduler_/);
      }
    },
  );

  test("ignores headers for the simulator: it answers the request itself", async () => {
    const headers = {
      "MF-Original-URL": "http://127.0.0.1/metrics",
      "MF-Route-Override": "nowhere",
      "MF-CF-Blob": "{",
      "MF-Proxy-Shared-Secret": "guessed",
      "MF-Loopback-Secret": "guessed",
    };
    const answer = await sendRaw(system.origin, { method: "GET", path: "/health", headers });
    expect(answer).toMatchObject({ status: 200, text: expect.stringContaining('"status":"ok"') });
  });

  test.each(["127.0.0.1", "localhost:1234", "[::1]"])(
    "answers under the host name %s",
    async (host) => {
      expect(
        (await sendRaw(system.origin, { method: "GET", path: "/", headers: { host } })).text,
      ).toContain("SPX");
    },
  );

  test("keeps its state to its owner, older files included, and no secret in a file of its own", () => {
    const open = readdirSync(stateDir, { recursive: true, withFileTypes: true })
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((path) => (lstatSync(path).mode & 0o077) !== 0);
    expect(open).toStrictEqual([]);
    expect(lstatSync(stateDir).mode & 0o777).toBe(0o700);
    expect(existsSync(join(stateDir, "v3/r2/of-before"))).toBe(true);
    expect(existsSync(join(stateDir, "secrets.env"))).toBe(false);
  });

  test("prints, after the ready line, what to open, how to ask and how to stop, and repeats no key", () => {
    const at = system.lines.findIndex((line) => line.startsWith("ready "));
    const [open = "", ask = "", stop = ""] = system.lines.slice(at + 1, at + 4);
    expect(open).toContain(`${system.origin}/`);
    expect(ask).toMatch(/^ask {3}curl .*\/api\/v1\/assets'$/);
    expect(stop).toContain(stateDir);
    expect(system.output.split(system.key)).toHaveLength(2);
  });

  test("has its state to itself: a second start on it ends with one sentence and harms nothing", async () => {
    const second = new StartedProcess(await freePort(), { stateDir });
    expect(await second.ended).toBe(1);
    expect(second.lines).toHaveLength(1);
    expect(second.lines[0]).toMatch(
      /^STATE_DIR=.* is in use by another npm start \(process \d+\): /,
    );
    await system.api.get(`${system.origin}/ready`, ready);
  });

  test("leaves nothing behind when it is killed, and the next start takes over its port and state", async () => {
    const bars = await system.api.all("/assets/SPX/bars?limit=1000", barView);
    const tree = system.tree();
    process.kill(system.pid, "SIGKILL");
    await gone(tree);
    const next = await startSystem({ stateDir, port: system.port });
    expect(next.key).toBe(system.key);
    const now = await next.api.all("/assets/SPX/bars?limit=1000", barView);
    expect(now.slice(0, bars.length)).toStrictEqual(bars);
    system = next;
  });

  test("ends when its output has no reader any more, and everything it has started with it", async () => {
    const tree = system.tree();
    system.child.stdout?.destroy();
    system.child.stderr?.destroy();
    await gone(tree);
  });
});

describe("while it starts", () => {
  test("the npm that runs it is killed: nothing stays behind", async () => {
    const starting = new StartedProcess(await freePort(), {
      env: { DEMO: "off" },
      command: ["npm", "start", "--silent"],
    });
    await until("the worker", async () =>
      starting.output.includes("starting the worker") ? true : null,
    );
    const tree = starting.tree();
    expect(tree.length).toBeGreaterThan(2);
    process.kill(starting.pid, "SIGKILL");
    await gone(tree);
    expect(starting.output).not.toMatch(/^ready /m);
  });

  test("a stranger takes the port: it ends with one sentence, and the stranger is asked nothing", async () => {
    const port = await freePort();
    const starting = new StartedProcess(port, { env: { DEMO: "off" } });
    await until("the migrations", async () =>
      starting.output.includes("applying migrations") ? true : null,
    );
    const asked: string[] = [];
    const stranger = createServer((request, response) => {
      asked.push(`${request.method} ${request.url} ${JSON.stringify(request.headers)}`);
      response.end('{"status":"ok","items":[{}]}');
    });
    await new Promise<void>((resolve) => stranger.listen(port, "127.0.0.1", resolve));
    expect(await starting.ended).toBe(1);
    stranger.close();
    expect(asked).toStrictEqual([]);
    expect(starting.output).not.toMatch(/^ready /m);
    expect(starting.lines.at(-1)).toContain(`port ${port} is in use`);
  });
});
