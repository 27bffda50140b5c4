import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../../local/ports.ts";
import { Api } from "./api.ts";
import { isAlive, killHard, processTree } from "./processes.ts";

const root = join(import.meta.dirname, "../..");

/** The machine may be shared: ten seconds alone may become a minute. */
const START_TIMEOUT_MS = 100_000;

/** Names that would reach `npm start` from the environment of the tests. */
const OURS =
  /^(PORT|STATE_DIR|DEMO|ADMIN_API_KEY|ENCRYPTION_KEY|NODE_OPTIONS|NODE_ENV|ENGINES|REPLAY_SPEED|SWEEP_AFTER_SECONDS|TICK_SECONDS|LOG_LEVEL|RETRY_POLICIES|DEAD_LETTER_RETENTION_DAYS|(VENDOR|SOURCE|YAHOO|COINBASE|KRAKEN|FRANKFURTER|TWELVE_DATA|TIINGO|LLM|RECONCILE)_.*|(WEBHOOK|ALERT|VITEST)_?.*)$/;

export interface StartOptions {
  /** Where it left off, to go on from there; a fresh folder otherwise. */
  readonly stateDir?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** npm's command by default. */
  readonly command?: readonly string[];
  /** Any free one by default. */
  readonly port?: number;
}

/** `npm start` as a child process: npm too runs this same file with this same Node. */
export class StartedProcess {
  readonly stateDir: string;
  readonly port: number;
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  output = "";

  constructor(port: number, { stateDir = freshFolder(), env = {}, command }: StartOptions = {}) {
    this.port = port;
    this.stateDir = stateDir;
    const inherited = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !OURS.test(name)),
    );
    const [program = "", ...args] = command ?? [process.execPath, "local/start.ts"];
    this.child = spawn(program, args, {
      cwd: root,
      env: { ...inherited, PORT: String(port), STATE_DIR: stateDir, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.child.stdout?.on("data", (chunk: Buffer) => (this.output += chunk.toString()));
    this.child.stderr?.on("data", (chunk: Buffer) => (this.output += chunk.toString()));
    this.ended = new Promise((resolve) => this.child.once("close", resolve));
    started.add(this);
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error("npm start has no process");
    return this.child.pid;
  }

  get lines(): string[] {
    return this.output.split("\n").filter((line) => line !== "");
  }

  /** Everything it has started so far, itself included. */
  tree(): number[] {
    return processTree(this.pid);
  }

  /** The power cut: no process can clean up. */
  async kill(): Promise<void> {
    // Children can appear while we kill, so look again until there are none.
    for (let pids = this.tree(); pids.some(isAlive); pids = [...pids, ...this.tree()]) {
      killHard(pids);
      await sleep(50);
    }
    await this.ended;
  }

  /**
   * A signal as the terminal or a service manager sends it; returns the time until the whole tree
   * ended, in ms.
   */
  async stop(
    signal: NodeJS.Signals = "SIGINT",
  ): Promise<{ ms: number; code: number | null; left: number[] }> {
    const tree = this.tree();
    const before = Date.now();
    this.child.kill(signal);
    while (tree.some(isAlive) && Date.now() - before < 10_000) await sleep(50);
    const left = tree.filter(isAlive);
    killHard(left);
    return { ms: Date.now() - before, code: await this.ended, left };
  }
}

/** A system that has printed its ready line. */
export interface System extends StartedProcess {
  readonly api: Api;
  readonly origin: string;
  readonly key: string;
  readonly readyMs: number;
}

const started = new Set<StartedProcess>();

/** Starts the system and waits for its line. Fails with its output if it ends or takes too long. */
export async function startSystem(options: StartOptions = {}): Promise<System> {
  const before = Date.now();
  const system = new StartedProcess(options.port ?? (await freePort()), options);
  let over = false;
  void system.ended.then(() => (over = true));
  for (;;) {
    const [, origin, key] =
      /^ready (http:\/\/127\.0\.0\.1:\d+) {2}api key (\S+)$/m.exec(system.output) ?? [];
    if (origin !== undefined && key !== undefined)
      return Object.assign(system, {
        origin,
        key,
        api: new Api(origin, key),
        readyMs: Date.now() - before,
      });
    if (over || Date.now() - before > START_TIMEOUT_MS)
      throw new Error(`no ready line:\n${system.output}`);
    await sleep(50);
  }
}

/** For afterAll: ends whatever this file has started and removes its folders. */
export async function stopEverything(): Promise<void> {
  for (const one of started) {
    // Complaints after its line are shown with the test that failed.
    const said = (one.output.split(/^ready .*\n/m)[1] ?? "")
      .split("\n")
      .filter((line) => !/^(open|ask|stop) |^$|^\{"level":"(debug|info)"/.test(line))
      .join("\n");
    if (said !== "")
      console.error(`after ready, npm start (exit code ${one.child.exitCode}) said:\n${said}`);
    await one.kill();
  }
  started.clear();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  folders.clear();
}

// The test runner itself may be stopped in the middle.
process.on("exit", () => {
  for (const one of started) if (one.child.exitCode === null) killHard(one.tree());
});

const folders = new Set<string>();

export function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "inversorai-e2e-"));
  folders.add(folder);
  return folder;
}
