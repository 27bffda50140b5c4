import { LOG_LEVELS, type LogLevel } from "../src/log.ts";

export interface WorkerLine {
  readonly level: LogLevel;
  readonly text: string;
}

/**
 * Max lines that are held before `ready`; more than a start makes unless something is badly wrong.
 */
const MAX_HELD = 1_000;

/**
 * Output of workerd, as lines with their level: the Worker's log (JSON of its own inside
 * workerd's), and workerd's own messages. Chunks may end anywhere.
 */
export class WorkerLogs {
  #rest = "";

  take(chunk: string): WorkerLine[] {
    const lines = `${this.#rest}${chunk}`.split("\n");
    this.#rest = lines.pop() ?? "";
    return lines.filter((line) => line !== "").map(readLine);
  }
}

function readLine(line: string): WorkerLine {
  try {
    const { level, message } = JSON.parse(line) as { level?: unknown; message?: unknown };
    if (typeof message === "string")
      return { level: LOG_LEVELS.find((one) => one === level) ?? "info", text: message };
  } catch {
    // Not JSON: workerd reports its own errors in plain words.
  }
  return { level: "error", text: line };
}

/** Writes lines at a level and above it, and holds them back until it is opened. */
export class LogTap {
  readonly #least: number;
  readonly #write: (line: WorkerLine) => void;
  #held: WorkerLine[] | null = [];

  constructor(min: LogLevel, write: (line: WorkerLine) => void) {
    this.#least = LOG_LEVELS.indexOf(min);
    this.#write = write;
  }

  put(line: WorkerLine): void {
    if (LOG_LEVELS.indexOf(line.level) < this.#least) return;
    if (this.#held === null) this.#write(line);
    else if (this.#held.length < MAX_HELD) this.#held.push(line);
  }

  open(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const line of held) this.#write(line);
  }
}
