import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";

/**
 * Facts of a process; null when there is none. Slim containers have no `ps`, and macOS has no
 * /proc.
 */
interface About {
  readonly parent: number;
  readonly command: string;
  /** Start of the process: text that is only good for comparing two processes of one number. */
  readonly birth: string;
}

const HAS_PROC = existsSync("/proc/self/stat");

export function aboutProcess(pid: number): About | null {
  try {
    return HAS_PROC ? fromProc(pid) : fromPs(pid);
  } catch {
    return null;
  }
}

function fromProc(pid: number): About {
  // "pid (name) state ppid …" with the start time as its 22nd field; the name may hold spaces and
  // brackets.
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /s, "")
    .split(" ");
  // A zombie: it has ended, and its parent has not reaped it yet.
  if (fields[0] === "Z") throw new Error("no process");
  const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
  return { parent: Number(fields[1]), command, birth: fields[19] ?? "" };
}

function fromPs(pid: number): About {
  const ask = (what: string) =>
    execFileSync("ps", ["-o", `${what}=`, "-p", String(pid)], {
      encoding: "utf8",
      timeout: 5_000,
    }).trim();
  return { parent: Number(ask("ppid")), command: ask("command"), birth: ask("lstart") };
}

export const birthOf = (pid: number): string | null => aboutProcess(pid)?.birth ?? null;

export function isAlive(pid: number): boolean {
  if (HAS_PROC) return aboutProcess(pid) !== null;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // Another user's process is alive as well.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Kills the group that a process leads, and returns true if there was one. */
export function endGroup(pid: number, signal: NodeJS.Signals = "SIGKILL"): boolean {
  try {
    return process.kill(-pid, signal);
  } catch {
    return false;
  }
}
