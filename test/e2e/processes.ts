import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";

interface Process {
  readonly pid: number;
  readonly parent: number;
}

/**
 * A process and everything it has started, children of children too, however they have grouped
 * themselves.
 */
export function processTree(root: number): number[] {
  const all = allProcesses();
  const tree = [root];
  for (let at = 0; at < tree.length; at++) {
    for (const { pid, parent } of all) if (parent === tree[at]) tree.push(pid);
  }
  return tree;
}

/** Slim containers have no `ps`, and macOS has no /proc. */
function allProcesses(): Process[] {
  if (existsSync("/proc/self/stat")) return readdirSync("/proc").flatMap(readProc);
  const lines = execFileSync("ps", ["-axo", "pid=,ppid="], { encoding: "utf8" }).trim().split("\n");
  return lines.map((line) => {
    const [pid, parent] = line.trim().split(/\s+/).map(Number);
    return { pid: pid ?? 0, parent: parent ?? 0 };
  });
}

function readProc(entry: string): Process[] {
  if (!/^\d+$/.test(entry)) return [];
  try {
    // "pid (name) state ppid …", and the name may hold spaces and brackets.
    const [state, parent] = readFileSync(`/proc/${entry}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return state === "Z" ? [] : [{ pid: Number(entry), parent: Number(parent) }];
  } catch {
    // It ended while we were looking.
    return [];
  }
}

export function isAlive(pid: number): boolean {
  if (existsSync("/proc/self/stat")) return readProc(String(pid)).length > 0;
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

export function killHard(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended already.
    }
  }
}

/** Resident memory of the processes in MB, or null without /proc. */
export function residentMegabytes(pids: readonly number[]): number | null {
  if (!existsSync("/proc/self/status")) return null;
  let kilobytes = 0;
  for (const pid of pids) {
    try {
      kilobytes += Number(
        /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0,
      );
    } catch {
      // It ended while we were looking.
    }
  }
  return kilobytes / 1024;
}
