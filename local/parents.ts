import { aboutProcess, isAlive } from "./processes.ts";

const POLL_INTERVAL_MS = 500;
const SHELL = /(^|\/)(sh|bash|dash|zsh|ash|ksh|busybox)(\s|$)/;

/**
 * Calls back once when the npm that runs us has ended without a signal to us (`kill -9`). Between
 * npm and us there may be a shell that goes on. Started by anything else than `npm start` we stay:
 * a shell may end and mean us to go on.
 */
export function onNpmGone(then: () => void, env: NodeJS.ProcessEnv = process.env): void {
  if (env["npm_lifecycle_event"] !== "start") return;
  const parent = process.ppid;
  const above = aboutProcess(parent);
  const npm = above !== null && SHELL.test(above.command.split(" ")[0] ?? "") ? above.parent : null;
  const timer = setInterval(() => {
    const gone = process.ppid !== parent || (npm !== null && npm > 1 && !isAlive(npm));
    if (!gone) return;
    clearInterval(timer);
    then();
  }, POLL_INTERVAL_MS);
  timer.unref();
}
