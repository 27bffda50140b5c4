import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { endGroup } from "./processes.ts";

/**
 * Reads lines of process groups until its input ends, which it does when we end, however we end;
 * then kills the last list and removes the folder. A shell, because it must be small and outlive
 * us. Signals of the terminal are not for it.
 */
const GUARD = `trap '' INT TERM HUP QUIT
groups=
while read -r line; do groups=$line; done
[ -n "$groups" ] && kill -s KILL -- $groups 2>/dev/null
rm -rf -- "$1"`;

export interface Guarded {
  readonly child: ChildProcess;
  /**
   * When every process that writes to the child's output has ended: the exit code, or null after a
   * signal.
   */
  readonly ended: Promise<number | null>;
  /** Asks its group to end, and makes it end when it does not within five seconds. */
  stop(): Promise<void>;
}

/** Starts processes that do not outlive this one, not even when it is killed with SIGKILL. */
export class Guard {
  /** A folder of this run alone, for sockets and temporary files; removed when the run is over. */
  readonly folder = mkdtempSync(join(tmpdir(), "inversorai-"));
  /** When the guard itself has ended although we have not. */
  readonly lost: Promise<void>;
  readonly #shell: ChildProcess;
  readonly #groups = new Set<number>();

  constructor() {
    this.#shell = spawn("/bin/sh", ["-c", GUARD, "inversorai-guard", this.folder], {
      stdio: ["pipe", "ignore", "ignore"],
      detached: true,
    });
    const { stdin } = this.#shell;
    stdin?.on("error", () => undefined);
    // A script that is done need not wait for its guard.
    this.#shell.unref();
    if (stdin instanceof Socket) stdin.unref();
    this.lost = new Promise((resolve) => {
      this.#shell.once("exit", () => resolve());
      this.#shell.once("error", () => resolve());
    });
    process.once("exit", () => rmSync(this.folder, { recursive: true, force: true }));
  }

  /** In a group of its own: Ctrl-C reaches us first, and we stop each group in order. */
  spawn(command: string, args: readonly string[], options: SpawnOptions): Guarded {
    const child = spawn(command, args, { ...options, detached: true });
    const { pid } = child;
    const ended = new Promise<number | null>((resolve) => {
      child.once("close", resolve);
      child.once("error", () => resolve(null));
    });
    if (pid === undefined) return { child, ended, stop: () => ended.then(() => undefined) };
    this.#change(() => this.#groups.add(pid));
    let over = false;
    void ended.then(() => {
      // Once it has ended its number may belong to another process.
      over = true;
      this.#change(() => this.#groups.delete(pid));
    });
    const stop = async () => {
      if (over) return;
      endGroup(pid, "SIGINT");
      await Promise.race([ended, sleep(5_000, undefined, { ref: false })]);
      if (!over) endGroup(pid);
      await ended;
    };
    return { child, ended, stop };
  }

  #change(how: () => void): void {
    how();
    this.#shell.stdin?.write(`${[...this.#groups].map((pid) => `-${pid}`).join(" ")}\n`);
  }
}
