import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";

/** Half a minute is usual when other work has the machine. */
const START_TIMEOUT_MS = 180_000;
const root = join(import.meta.dirname, "../..");

/** A running system whose whole process group can be killed between any two instructions. */
export class Killable {
  readonly origin: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;

  private constructor(origin: string, child: ChildProcess, ended: Promise<void>) {
    this.origin = origin;
    this.#child = child;
    this.#ended = ended;
  }

  static async start(stateDir: string, vars: Readonly<Record<string, string>>): Promise<Killable> {
    const child = spawn(
      process.execPath,
      [
        join(import.meta.dirname, "runtime.ts"),
        join(root, "wrangler.toml"),
        stateDir,
        ...Object.entries(vars).map(([name, value]) => `${name}=${value}`),
      ],
      {
        cwd: root,
        env: {
          ...process.env,
          ADMIN_API_KEY: vars["ADMIN_API_KEY"] ?? "",
          ENCRYPTION_KEY: vars["ENCRYPTION_KEY"] ?? "",
          CLOUDFLARE_CF_FETCH_ENABLED: "false",
          WRANGLER_SEND_METRICS: "false",
        },
        stdio: ["ignore", "pipe", "pipe"],
        // A group of its own: workerd is its child, and both go at once.
        detached: true,
      },
    );
    const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
    const onExit = () => killGroup(child);
    process.once("exit", onExit);
    void ended.then(() => process.off("exit", onExit));
    let output = "";
    const ready = new Promise<string>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`not ready in time:\n${output}`)),
        START_TIMEOUT_MS,
      );
      const read = (chunk: Buffer) => {
        output += chunk.toString();
        const origin = /^ready (\S+)$/m.exec(output)?.[1];
        if (origin === undefined) return;
        clearTimeout(timer);
        resolve(origin);
      };
      child.stdout?.on("data", read);
      child.stderr?.on("data", (chunk: Buffer) => (output += chunk.toString()));
      void ended.then(() => reject(new Error(`it ended before it was ready:\n${output}`)));
    });
    try {
      return new Killable(await ready, child, ended);
    } catch (error) {
      killGroup(child);
      throw error;
    }
  }

  /** SIGKILL to everything at once; nobody gets to say goodbye. */
  async kill(): Promise<void> {
    killGroup(this.#child);
    await this.#ended;
  }
}

function killGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
      process.kill(-child.pid, "SIGKILL");
  } catch {
    // It has ended already.
  }
}
