import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { birthOf, endGroup, isAlive } from "./processes.ts";
import { Refusal } from "./settings.ts";

/** A process with something that no later process of the same number has. */
interface Known {
  readonly pid: number;
  readonly birth: string | null;
}

interface Running {
  /** The starter. */
  readonly owner: Known;
  /** Its children that may have outlived it after a crash. */
  readonly children: readonly Known[];
}

export interface StateLock {
  /** Notes a child that works on the state, for the next start to end should it be left behind. */
  note(pid: number): void;
}

/**
 * Takes the state's folder for this process alone, until it ends however it ends: the lock is the
 * kernel's, on a file that SQLite keeps open, so a crash leaves none behind. Then ends the
 * processes that a crashed start may have left running. Throws a `Refusal`.
 */
export async function lockState(folder: string): Promise<StateLock> {
  const file = join(folder, "running.json");
  const lock = new DatabaseSync(join(folder, "lock"));
  try {
    lock.exec("PRAGMA busy_timeout = 0; PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE");
  } catch (error) {
    const { errcode } = error as { errcode?: number };
    if (errcode !== SQLITE_BUSY) throw error;
    const owner = readRunning(file)?.owner.pid;
    const who = owner === undefined ? "" : ` (process ${owner})`;
    throw new Refusal(
      `STATE_DIR=${folder} is in use by another npm start${who}: stop that, or choose another folder with STATE_DIR=<folder> npm start`,
    );
  }
  held.add(lock);
  for (const child of readRunning(file)?.children ?? []) await endLeftover(child);
  const children: Known[] = [];
  const write = () => writeFileSync(file, JSON.stringify({ owner: known(process.pid), children }));
  write();
  return {
    note: (pid) => {
      children.push(known(pid));
      write();
    },
  };
}

/** Kept from the garbage collector, which would close the file and with it the lock. */
const held = new Set<DatabaseSync>();
const SQLITE_BUSY = 5;

const known = (pid: number): Known => ({ pid, birth: birthOf(pid) });

function readRunning(file: string): Running | null {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Running;
  } catch {
    // There is none, or the crash came in the middle of writing it.
    return null;
  }
}

async function endLeftover({ pid, birth }: Known): Promise<void> {
  for (let n = 0; n < 100; n++) {
    // Without its start we cannot distinguish it from another process of the same number.
    if (birth === null || birthOf(pid) !== birth || !isAlive(pid)) return;
    endGroup(pid);
    await sleep(50);
  }
}
