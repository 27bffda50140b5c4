import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** wrangler stays silent about itself and asks nothing of the network. */
const QUIET: Readonly<Record<string, string>> = {
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_HIDE_BANNER: "true",
  X_LOCAL_OBSERVABILITY: "false",
  X_LOCAL_EXPLORER: "false",
  CI: "true",
  NO_COLOR: "1",
};

interface Place {
  readonly root: string;
  readonly stateDir: string;
  /** Told how to stop the new process as soon as there is one, so that Ctrl-C while starting leaves nothing behind. */
  readonly onSpawn?: (stop: () => Promise<void>) => void;
}

/** Starting may take this long on a busy laptop; a build that failed never ends by itself. */
const START_TIMEOUT_MS = 120_000;

/** Brings the local database to the newest migration. */
export async function applyMigrations({ root, stateDir, onSpawn }: Place): Promise<void> {
  const child = spawnWrangler(root, ["d1", "migrations", "apply", "DB", "--local", "--persist-to", stateDir]);
  let output = "";
  child.stdout?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  let over = false;
  const ended = endOf(child);
  // Once it has ended its number may belong to somebody else.
  onSpawn?.(async () => (over ? undefined : stopGroup(child, ended)));
  const code = await ended;
  over = true;
  if (code !== 0) throw new Error(`the migrations failed:\n${output}`);
}

export interface WorkerOptions extends Place {
  readonly port: number;
  readonly adminKey: string;
  readonly vars: Readonly<Record<string, string>>;
  readonly onExit: (code: number | null) => void;
}

export interface RunningWorker {
  /** Fires the cron trigger, which wrangler does not do by itself. */
  tick(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts the worker in workerd with its state on disk, and waits until it answers. */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  // Secrets travel by file: other users of the machine can read a command line.
  const envFile = join(options.stateDir, "secrets.env");
  writeFileSync(envFile, `ADMIN_API_KEY="${options.adminKey}"\n`, { mode: 0o600 });
  chmodSync(envFile, 0o600);
  const child = spawnWrangler(options.root, [
    "dev",
    "--ip=127.0.0.1",
    `--port=${options.port}`,
    "--inspector-port=0",
    `--persist-to=${options.stateDir}`,
    `--env-file=${envFile}`,
    "--show-interactive-dev-session=false",
    "--log-level=error",
    ...Object.entries(options.vars).flatMap(([name, value]) => ["--var", `${name}:${value}`]),
  ]);
  forward(child);
  const ended = endOf(child);
  void ended.then((code) => options.onExit(code));
  const origin = `http://127.0.0.1:${options.port}`;
  const stop = () => stopGroup(child, ended);
  options.onSpawn?.(stop);
  try {
    await untilReady(origin, ended);
  } catch (error) {
    await stop();
    throw error;
  }
  return { tick: () => tick(origin), stop };
}

async function tick(origin: string): Promise<void> {
  const url = `${origin}/cdn-cgi/handler/scheduled?cron=${encodeURIComponent("* * * * *")}&time=${Date.now()}`;
  await fetch(url, { signal: AbortSignal.timeout(30_000) }).then(
    (response) => response.body?.cancel(),
    (error: unknown) => console.error(`a tick failed: ${String(error)}`),
  );
}

/** In a group of its own: Ctrl-C reaches us first, and we stop the whole group in order. */
function spawnWrangler(root: string, args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [join(root, "node_modules/wrangler/bin/wrangler.js"), ...args], {
    cwd: root,
    env: { ...process.env, ...QUIET },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
}

/** When every process that writes to the child's output has ended. */
const endOf = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve) => child.once("close", resolve));

function forward(child: ChildProcess): void {
  child.stdout?.on("data", (chunk: Buffer) => process.stdout.write(chunk));
  child.stderr?.on("data", (chunk: Buffer) => process.stderr.write(chunk));
}

async function untilReady(origin: string, ended: Promise<number | null>): Promise<void> {
  let over = false;
  void ended.then(() => (over = true));
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!over && Date.now() < deadline) {
    const answer = await fetch(`${origin}/health`, { signal: AbortSignal.timeout(2_000) }).catch(() => null);
    await answer?.body?.cancel();
    if (answer?.ok === true) return;
    await sleep(100);
  }
  throw new Error("the worker did not start");
}

/** Asks the group to end, and makes it end when it does not. */
async function stopGroup(child: ChildProcess, ended: Promise<number | null>): Promise<void> {
  const signal = (name: NodeJS.Signals) => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, name);
    } catch {
      // The group has ended already.
    }
  };
  signal("SIGINT");
  await Promise.race([ended, sleep(5_000, undefined, { ref: false })]);
  signal("SIGKILL");
}
