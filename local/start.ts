/** `npm start`: the whole system on this machine, as one process to its user. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readConfig } from "../src/config.ts";
import { startDemoServer } from "./demo-server.ts";
import { encryptionKey } from "./encryption-key.ts";
import { registerDemoAssets, registerSchedules } from "./first-run.ts";
import { Guard } from "./guard.ts";
import { misspelt } from "./misspelt.ts";
import { onNpmGone } from "./parents.ts";
import { requirePort } from "./ports.ts";
import { readyLines } from "./ready-lines.ts";
import { applyMigrations, startWorker } from "./runtime.ts";
import { adminKey, alertSecrets, SECRET_NAMES, vendorKeys } from "./secrets.ts";
import { Refusal, readSettings, requireGood, STARTERS_VARIABLES } from "./settings.ts";
import { prepareStateFolder } from "./state-folder.ts";
import { lockState } from "./state-lock.ts";
import { complain, onOutputLost, onReaderGone, say } from "./terminal.ts";
import { readWorkerConfig } from "./worker-config.ts";
import { LogTap } from "./worker-logs.ts";
import { bundleWorker } from "./wrangler.ts";

const root = join(import.meta.dirname, "..");

async function main(): Promise<void> {
  const { env } = process;
  const workerConfig = readWorkerConfig(readFileSync(join(root, "wrangler.toml"), "utf8"));
  const settings = readSettings(env, workerConfig, root);
  const { port, stateDir, demo } = settings;
  const origin = `http://127.0.0.1:${port}`;
  const alerts = alertSecrets(env);
  await requirePort(port);
  prepareStateFolder(stateDir);
  const key = adminKey(stateDir, env);
  const secrets = {
    ADMIN_API_KEY: key,
    ENCRYPTION_KEY: encryptionKey(stateDir, env["ENCRYPTION_KEY"]),
    ...alerts,
    ...vendorKeys(env),
  };
  const vars = { ...settings.vars, PUBLIC_ORIGIN: origin };
  requireGood(vars, secrets);
  const lock = await lockState(stateDir);
  const ours = [...STARTERS_VARIABLES, ...SECRET_NAMES, ...Object.keys(vars)];
  for (const { name, meant } of misspelt(Object.keys(env), ours))
    complain(`${name} is not a variable that npm start knows; is ${meant} meant?`);

  const stops: (() => Promise<void>)[] = [];
  let stopping = false;
  const stop = async (code: number, why?: string): Promise<void> => {
    if (stopping) return;
    stopping = true;
    if (why !== undefined) say(`${why}; stopping …`);
    // Popped one by one: a process that is spawned while we stop is stopped too.
    for (let one = stops.pop(); one !== undefined; one = stops.pop())
      await one().catch((error: unknown) => complain(String(error)));
    if (why !== undefined)
      say(`stopped; the state is in ${stateDir}, and npm start goes on from there`);
    process.exit(code);
  };
  onOutputLost(() => void stop(1));
  onNpmGone(() => void stop(1, "npm has ended"));
  for (const [signal, why] of SIGNALS) process.on(signal, () => void stop(0, why));

  const guard = new Guard();
  void guard.lost.then(() => stop(1, "the process that guards the others has ended"));
  const onSpawn = (stopIt: () => Promise<void>): void => void stops.push(stopIt);
  const unwatch = onReaderGone(guard, () => void stop(1));
  if (unwatch !== null) onSpawn(unwatch);
  const place = { root, guard, onSpawn };
  const logs = new LogTap(readConfig({ ...vars, ...secrets }).LOG_LEVEL, ({ level, text }) =>
    level === "warn" || level === "error" ? complain(text) : say(text),
  );

  try {
    say("applying migrations …");
    const [script] = await Promise.all([
      bundleWorker(place),
      applyMigrations({ ...place, stateDir }),
    ]);
    if (stopping) return;
    const demoServer = demo ? await startDemoServer() : null;
    if (demoServer !== null) stops.push(() => demoServer.close());

    say("starting the worker …");
    const worker = await startWorker({
      ...place,
      stateDir,
      script,
      secrets,
      vars: { ...vars, DEMO_SOURCE_URL: demoServer?.url ?? "" },
      onLine: (line) => logs.put(line),
      onStarted: (pid) => lock.note(pid),
      onExit: (code) => {
        if (stopping) return;
        logs.open();
        complain(`the worker ended by itself (exit code ${code ?? "none"})`);
        void stop(1);
      },
    });
    stops.push(() => worker.stop());

    await worker.tick();
    await registerSchedules(worker, key);
    if (demo) await registerDemoAssets(worker, key);
    await worker.listen(port);
    say(readyLines({ origin, key, stateDir, keyGiven: env["ADMIN_API_KEY"] === key }).join("\n"));
    logs.open();

    while (!stopping) {
      await sleep(settings.tickMs);
      if (!stopping)
        await worker.tick().catch((error: unknown) => complain(`a tick failed: ${String(error)}`));
    }
  } catch (error) {
    // Errors of processes that are being stopped are no news.
    if (stopping) return;
    logs.open();
    complain(error instanceof Error ? error.message : String(error));
    await stop(1);
  }
}

const SIGNALS = [
  ["SIGINT", "Ctrl-C"],
  ["SIGTERM", "asked to end"],
  ["SIGHUP", "the terminal has gone"],
] as const;

try {
  await main();
} catch (error) {
  // Nothing has been started yet.
  complain(
    error instanceof Refusal ? error.message : String(error instanceof Error ? error.stack : error),
  );
  process.exitCode = 1;
}
