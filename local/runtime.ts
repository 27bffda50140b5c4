import { request } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Gate, openGate } from "./gate.ts";
import { Guard } from "./guard.ts";
import { type WorkerLine, WorkerLogs } from "./worker-logs.ts";
import { assembleWorker, startWorkerd } from "./workerd.ts";
import { bundleWorker, applyMigrations as migrate, type Place } from "./wrangler.ts";

/** Starting may take this long on a busy laptop. */
const START_TIMEOUT_MS = 120_000;
/** A tick and the sweep in it, on a busy machine. */
const CALL_TIMEOUT_MS = 60_000;

export interface Runtime extends Omit<Place, "guard"> {
  readonly stateDir: string;
  /** Ends its processes with ours; one of its own unless the caller has one. */
  readonly guard?: Guard;
}

/** Brings the local database to the newest migration. */
export const applyMigrations = ({
  guard = new Guard(),
  stateDir,
  ...place
}: Runtime): Promise<void> => migrate({ ...place, guard }, stateDir);

export interface WorkerOptions extends Runtime {
  /** The Worker's module, if it is built already. */
  readonly script?: string;
  /** By name; the admin key is among them. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly vars: Readonly<Record<string, string>>;
  readonly onLine?: (line: WorkerLine) => void;
  /** With the number of the process that works on the state. */
  readonly onStarted?: (pid: number) => void;
  readonly onExit: (code: number | null) => void;
}

interface LocalAnswer {
  readonly status: number;
  readonly text: string;
}

export interface RunningWorker {
  /** Fires the cron trigger. Throws when the Worker could not take it. */
  tick(): Promise<void>;
  /** A request of the starter's own, past the gate. */
  ask(
    method: string,
    path: string,
    headers?: Readonly<Record<string, string>>,
    body?: string,
  ): Promise<LocalAnswer>;
  /** Opens the port to the machine. */
  listen(port: number): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts the Worker in workerd with its state on disk, and waits until it answers. No port is open
 * yet.
 */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const { root, stateDir, guard = new Guard(), onSpawn } = options;
  const place = { root, guard, ...(onSpawn === undefined ? {} : { onSpawn }) };
  const assembled = await assembleWorker(place, {
    config: join(root, "wrangler.toml"),
    script: options.script ?? (await bundleWorker(place)),
    stateDir,
    bindings: { ...options.vars, ...options.secrets },
  });
  const workerd = await startWorkerd(place, assembled);
  if (workerd.child.pid !== undefined) options.onStarted?.(workerd.child.pid);
  const logs = new WorkerLogs();
  for (const stream of [workerd.child.stdout, workerd.child.stderr]) {
    stream?.setEncoding("utf8");
    stream?.on("data", (chunk: string) => {
      for (const line of logs.take(chunk)) options.onLine?.(line);
    });
  }
  let gate: Gate | null = null;
  void workerd.ended.then((code) => options.onExit(code));
  const ask: RunningWorker["ask"] = (method, path, headers = {}, body = "") =>
    askSocket(workerd.socket, method, path, headers, body);
  const stop = async () => {
    await gate?.close();
    await workerd.stop();
  };
  try {
    await untilReady(ask, workerd.ended);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    ask,
    stop,
    listen: async (port) => {
      gate = await openGate(port, workerd.socket);
    },
    tick: async () => {
      const at = `cron=${encodeURIComponent("* * * * *")}&time=${Date.now()}`;
      const { status } = await ask("GET", `/cdn-cgi/local/scheduled?${at}`);
      if (status !== 200) throw new Error("a tick failed; the Worker's log says why");
    },
  };
}

function askSocket(
  socketPath: string,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body: string,
): Promise<LocalAnswer> {
  return new Promise((resolve, reject) => {
    const asked = request({
      socketPath,
      method,
      path,
      headers: { host: "127.0.0.1", ...headers, "content-length": Buffer.byteLength(body) },
      agent: false,
      signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
    });
    asked.on("error", reject);
    asked.on("response", (answer) => {
      let text = "";
      answer.setEncoding("utf8");
      answer.on("data", (chunk: string) => (text += chunk));
      answer.on("error", reject);
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, text }));
    });
    asked.end(body);
  });
}

async function untilReady(ask: RunningWorker["ask"], ended: Promise<number | null>): Promise<void> {
  let over = false;
  void ended.then(() => (over = true));
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!over && Date.now() < deadline) {
    const answer = await ask("GET", "/health").catch(() => null);
    if (answer?.status === 200) return;
    await sleep(50);
  }
  throw new Error("the worker did not start");
}
