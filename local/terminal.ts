/**
 * Whatever `npm start` prints goes through here, because a reader that goes away (`npm start | head -1`) must not end it
 * in the middle: it stops in order instead.
 */
export function onOutputLost(then: () => void): void {
  for (const stream of [process.stdout, process.stderr]) {
    // Node's console would swallow the error, and without a listener it would end the process.
    stream.on("error", then);
  }
}

export const say = (line: string): boolean => process.stdout.write(`${line}\n`);
export const complain = (line: string): boolean => process.stderr.write(`${line}\n`);
