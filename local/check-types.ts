/**
 * `npm run check:types`: every project of the repository under tsc, as many side by side as there
 * are cores. What tsc knows of the last run is kept in `.tsc/`, so that a second run reads only
 * what changed.
 */
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
/** The longest first, so that it does not run alone at the end. */
const PROJECTS = ["test/worker", "test/chaos", "local", "test", ".", "src/domain"];

function check(project: string): Promise<boolean> {
  const kept = join(root, ".tsc", `${project.replaceAll(/\W/g, "-")}.tsbuildinfo`);
  const tsc = spawn(
    process.execPath,
    [
      join(root, "node_modules/typescript/bin/tsc"),
      "-p",
      project,
      "--incremental",
      "--tsBuildInfoFile",
      kept,
    ],
    { cwd: root },
  );
  let said = "";
  tsc.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
  tsc.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  return new Promise((resolve) =>
    tsc.once("close", (code) => {
      // Each project speaks once and whole, so that the errors of two do not mix.
      if (code !== 0) console.error(`tsc -p ${project}\n${said}`);
      resolve(code === 0);
    }),
  );
}

const waiting = [...PROJECTS];
async function worker(): Promise<boolean> {
  let green = true;
  for (let project = waiting.shift(); project !== undefined; project = waiting.shift())
    green = (await check(project)) && green;
  return green;
}

const workers = Array.from({ length: Math.min(availableParallelism(), PROJECTS.length) }, worker);
if ((await Promise.all(workers)).includes(false)) process.exitCode = 1;
