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
}

const wrangler = (root: string): string => join(root, "node_modules/wrangler/bin/wrangler.js");

/** Brings the local database to the newest migration. */
export async function applyMigrations({ root, stateDir }: Place): Promise<void> {
  const args = ["d1", "migrations", "apply", "DB", "--local", "--persist-to", stateDir];
  const child = spawn(process.execPath, [wrangler(root), ...args], {
    cwd: root,
    env: { ...process.env, ...QUIET },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
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
  const vars = Object.entries(options.vars).flatMap(([name, value]) => ["--var", `${name}:${value}`]);
  const child = spawn(
    process.execPath,
    [
      wrangler(options.root),
      "dev",
      "--ip=127.0.0.1",
      `--port=${options.port}`,
      "--inspector-port=0",
      `--persist-to=${options.stateDir}`,
      `--env-file=${envFile}`,
      "--show-interactive-dev-session=false",
      "--log-level=error",
      ...vars,
    ],
    // A group of its own: Ctrl-C reaches us first, and we stop the whole group in order.
    {
      cwd: options.root,
      env: { ...process.env, ...QUIET },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    },
  );
  forward(child);
  let ended = false;
  child.once("close", (code) => {
    ended = true;
    options.onExit(code);
  });
  const origin = `http://127.0.0.1:${options.port}`;
  await untilReady(origin, () => ended, child);
  return {
    tick: async () => {
      const time = Date.now();
      const url = `${origin}/cdn-cgi/handler/scheduled?cron=${encodeURIComponent("* * * * *")}&time=${time}`;
      await fetch(url, { signal: AbortSignal.timeout(30_000) }).then(
        (response) => response.body?.cancel(),
        (error: unknown) => console.error(`a tick failed: ${String(error)}`),
      );
    },
    stop: () => stopGroup(child, () => ended),
  };
}

function forward(child: ChildProcess): void {
  child.stdout?.on("data", (chunk: Buffer) => process.stdout.write(chunk));
  child.stderr?.on("data", (chunk: Buffer) => process.stderr.write(chunk));
}

async function untilReady(origin: string, ended: () => boolean, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 600 && !ended(); tries++) {
    const answer = await fetch(`${origin}/health`, { signal: AbortSignal.timeout(2_000) }).catch(() => null);
    await answer?.body?.cancel();
    if (answer?.ok === true) return;
    await sleep(100);
  }
  if (!ended()) await stopGroup(child, ended);
  throw new Error("the worker did not start");
}

/** Asks the group to end, and makes it end when it does not. */
async function stopGroup(child: ChildProcess, ended: () => boolean): Promise<void> {
  const signal = (name: NodeJS.Signals) => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, name);
    } catch {
      // The group has ended already.
    }
  };
  signal("SIGINT");
  for (let waited = 0; waited < 50 && !ended(); waited++) await sleep(100);
  signal("SIGKILL");
}
