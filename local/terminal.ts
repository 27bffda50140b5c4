import { fstatSync, writeSync } from "node:fs";
import type { Guard } from "./guard.ts";

/**
 * Whatever `npm start` prints goes through here, because a reader that goes away (`npm start | head
 * -1`) must not end it in the middle: it stops in order instead.
 */
export function onOutputLost(then: () => void): void {
  for (const stream of [process.stdout, process.stderr]) {
    // Node's console would swallow the error, and without a listener it would end the process.
    stream.on("error", then);
  }
}

export const say = (line: string): boolean => process.stdout.write(`${line}\n`);
export const complain = (line: string): boolean => process.stderr.write(`${line}\n`);

const POLL_INTERVAL_MS = 1_000;

/**
 * Calls back when the reader of our output has gone away, also while there is nothing to write. A
 * file or a terminal has no reader that could go.
 */
export function onReaderGone(guard: Guard, then: () => void): (() => Promise<void>) | null {
  const output = fstatSync(1);
  if (output.isSocket()) {
    const timer = setInterval(() => {
      try {
        // Writes no bytes, and still fails when the other end is closed.
        writeSync(1, "");
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EPIPE") return;
        clearInterval(timer);
        then();
      }
    }, POLL_INTERVAL_MS);
    timer.unref();
    return null;
  }
  if (!output.isFIFO() || process.platform !== "linux") return null;
  // Node cannot test a pipe without writing to it. GNU tail, which waits for a file to grow, can
  // and does.
  const watcher = guard.spawn("tail", ["-f", "/dev/null"], { stdio: ["ignore", 1, "ignore"] });
  void watcher.ended.then(() => {
    if (watcher.child.signalCode === "SIGPIPE") then();
  });
  return watcher.stop;
}
