/** `npm start`: the whole system on this machine, as one process to its user. */
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startDemoServer } from "./demo-server.ts";
import { encryptionKey } from "./encryption-key.ts";
import { registerDemoAssets, registerSchedules } from "./first-run.ts";
import { requirePort } from "./ports.ts";
import { applyMigrations, startWorker } from "./runtime.ts";
import { alertSecrets, vendorKeys } from "./secrets.ts";

const root = join(import.meta.dirname, "..");

/** With the replay a tick a second moves the market; without it the clock is the real one, once a minute. */
const REPLAY_TICK_MS = 1_000;
const CRON_TICK_MS = 60_000;

const VENDOR_URLS = [
  "YAHOO_URL",
  "COINBASE_URL",
  "KRAKEN_URL",
  "FRANKFURTER_URL",
  "TWELVE_DATA_URL",
  "TIINGO_URL",
];

const MODEL_VARIABLES = [
  "LLM_PROVIDER",
  "LLM_BASE_URL",
  "LLM_MODEL",
  "LLM_TIMEOUT_SECONDS",
  "LLM_MAX_OUTPUT_TOKENS",
  "LLM_TOKENS_PER_DAY",
  "LLM_STRUCTURED_OUTPUT",
  "ENGINES",
];

async function main(): Promise<void> {
  const port = portFrom(process.env["PORT"]);
  await requirePort(port);
  const alerts = alertsFrom(process.env);
  const stateDir = resolve(root, process.env["STATE_DIR"] ?? ".state");
  mkdirSync(stateDir, { recursive: true });
  const demo = process.env["DEMO"] !== "off";
  const key = adminKey(stateDir, process.env["ADMIN_API_KEY"]);
  const origin = `http://127.0.0.1:${port}`;

  const stops: (() => Promise<void>)[] = [];
  let stopping = false;
  const stop = async (code: number): Promise<void> => {
    if (stopping) return;
    stopping = true;
    // Popped one by one: what is spawned while we stop is stopped too.
    for (let one = stops.pop(); one !== undefined; one = stops.pop())
      await one().catch((error: unknown) => console.error(String(error)));
    process.exit(code);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => void stop(0));

  const onSpawn = (stopIt: () => Promise<void>): void => void stops.push(stopIt);

  try {
    console.log("applying migrations …");
    await applyMigrations({ root, stateDir, onSpawn });
    const demoServer = demo ? await startDemoServer() : null;
    if (demoServer !== null) stops.push(() => demoServer.close());

    console.log("starting the worker …");
    const worker = await startWorker({
      root,
      stateDir,
      onSpawn,
      port,
      secrets: {
        ADMIN_API_KEY: key,
        ENCRYPTION_KEY: encryptionKey(stateDir, process.env["ENCRYPTION_KEY"]),
        ...alerts,
        ...vendorKeys(process.env),
      },
      vars: {
        ENVIRONMENT: "local",
        PUBLIC_ORIGIN: origin,
        DEMO: demo ? "on" : "off",
        DEMO_SOURCE_URL: demoServer?.url ?? "",
        WEBHOOK_ALLOW_LOOPBACK: process.env["WEBHOOK_ALLOW_LOOPBACK"] === "on" ? "on" : "off",
        SWEEP_AFTER_SECONDS: process.env["SWEEP_AFTER_SECONDS"] ?? "10",
        ...forwarded(
          "REPLAY_SPEED",
          "WEBHOOK_RETRY_SECONDS",
          "LOG_LEVEL",
          "DEAD_LETTER_RETENTION_DAYS",
          "ALERT_RULES",
          "ALERT_WEBHOOK_URL",
        ),
        ...forwarded("VENDOR_SOURCES", "SOURCE_FALLBACKS", ...VENDOR_URLS),
        ...forwarded(...MODEL_VARIABLES),
      },
      onExit: (code) => {
        if (!stopping) {
          console.error(`the worker ended by itself (exit code ${code ?? "none"})`);
          void stop(1);
        }
      },
    });

    await worker.tick();
    await registerSchedules(origin, key);
    if (demo) await registerDemoAssets(origin, key);
    console.log(`ready ${origin}  api key ${key}`);

    const tickMs = demo ? REPLAY_TICK_MS : CRON_TICK_MS;
    while (!stopping) {
      await sleep(tickMs);
      if (!stopping) await worker.tick();
    }
  } catch (error) {
    // What fails because it is being stopped is no news.
    if (stopping) return;
    console.error(error instanceof Error ? error.message : String(error));
    await stop(1);
  }
}

function portFrom(text: string | undefined): number {
  const port = Number(text ?? "8787");
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  console.error(`PORT=${text} is not a port number`);
  process.exit(1);
}

function alertsFrom(env: NodeJS.ProcessEnv): Record<string, string> {
  try {
    return alertSecrets(env);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exit(1);
  }
}

/** The key given, or the one made at the first start and kept beside the state, readable by its owner only. */
function adminKey(stateDir: string, given: string | undefined): string {
  if (given !== undefined && given !== "") return given;
  const file = join(stateDir, "admin-api-key");
  if (existsSync(file)) return readFileSync(file, "utf8").trim();
  const key = `inv_admin_${randomBytes(24).toString("base64url")}`;
  writeFileSync(file, `${key}\n`, { mode: 0o600 });
  chmodSync(file, 0o600);
  return key;
}

function forwarded(...names: string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

await main();
