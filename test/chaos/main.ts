/**
 * `npm run chaos -- --seeds N [--from S] [--jobs J] [--verbose]`: runs the shipped Worker under N
 * seeds' worth of faults. Each seed is a run of its own and the same every time; `--verbose` prints
 * every step of it. `--crash-points NAME` walks the crash points of a flow instead.
 */
import { type ChildProcess, fork } from "node:child_process";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { SeedReport } from "./child.ts";
import type { Exploration } from "./crash-points/explore.ts";
import { FAULTS } from "./platform/faults.ts";

/** Seeds handed to a child at once. */
const PORTION = 10;

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "100" },
    from: { type: "string", default: "1" },
    jobs: { type: "string", default: String(cpus().length) },
    verbose: { type: "boolean", default: false },
    // Stop at the first violation: enough to know that something is wrong.
    first: { type: "boolean", default: false },
    // Walk the crash points of the flows with this in their name instead of seeds.
    "crash-points": { type: "string" },
  },
});
const seeds = Number(values.seeds);
const from = Number(values.from);
const jobs = Math.max(1, Math.min(Number(values.jobs), Math.ceil(seeds / PORTION)));
if (![seeds, from, jobs].every(Number.isInteger))
  throw new Error("--seeds, --from and --jobs are whole numbers");

const startedAt = Date.now();
const faults = new Map<string, number>();
let next = from;
let done = 0;
let steps = 0;
let cpuMs = 0;
const violations: string[] = [];

if (values["crash-points"] !== undefined) {
  await walkCrashPoints(values["crash-points"]);
} else {
  await Promise.all(Array.from({ length: jobs }, () => workOff()));
  finish();
}

/** One child, given portions of seeds until none is left. */
function workOff(): Promise<void> {
  const child = fork(
    fileURLToPath(new URL("./child.ts", import.meta.url)),
    values.verbose ? ["--verbose"] : [],
    {
      execArgv: ["--disable-warning=ExperimentalWarning"],
    },
  );
  const ended = new Promise<void>((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`a child of the simulator ended with ${code}`));
    });
  });
  child.on("message", (message: SeedReport | "more") => {
    if (message === "more") hand(child);
    else note(message);
  });
  return ended;
}

function hand(child: ChildProcess): void {
  const enough = values.first && violations.length > 0;
  const count = enough ? 0 : Math.min(PORTION, from + seeds - next);
  child.send({ from: next, count: Math.max(0, count) });
  next += Math.max(0, count);
}

function note(report: SeedReport): void {
  done += 1;
  steps += report.steps;
  cpuMs += report.cpuMs;
  for (const [fault, count] of report.faults) faults.set(fault, (faults.get(fault) ?? 0) + count);
  if (report.violations.length > 0) show(report);
  if (done % 500 === 0 && done < seeds)
    console.log(`${done} of ${seeds} runs, ${violations.length} violations`);
}

function show({ seed, violations: found, tail }: SeedReport): void {
  console.log(`\nseed ${seed}`);
  for (const { invariant, what } of found.slice(0, 10)) console.log(`  ${invariant}: ${what}`);
  if (found.length > 10) console.log(`  and ${found.length - 10} more`);
  if (!values.verbose) for (const line of tail.slice(-15)) console.log(`    ${line.slice(0, 200)}`);
  console.log(`  npm run chaos -- --seeds 1 --from ${seed} --verbose`);
  violations.push(...found.map(({ invariant }) => `${seed}: ${invariant}`));
}

function finish(): void {
  const total = [...faults.values()].reduce((sum, count) => sum + count, 0);
  console.log("\nfaults injected by kind");
  for (const fault of FAULTS)
    console.log(`  ${fault.padEnd(28)}${String(faults.get(fault) ?? 0).padStart(8)}`);
  const seconds = (Date.now() - startedAt) / 1000;
  console.log(
    `\n${steps} steps in ${seconds.toFixed(1)} s with ${jobs} processes, ${(cpuMs / Math.max(1, done)).toFixed(0)} ms of CPU a run`,
  );
  console.log(`chaos: ${done} runs, ${total} faults, ${violations.length} violations`);
  process.exitCode = violations.length > 0 || done !== seeds ? 1 : 0;
}

async function walkCrashPoints(name: string): Promise<void> {
  const [{ loadWorker }, { explore }, { FLOWS }] = await Promise.all([
    import("./load.ts"),
    import("./crash-points/explore.ts"),
    import("./crash-points/flows.ts"),
  ]);
  const worker = await loadWorker();
  const explored: Exploration[] = [];
  for (const flow of FLOWS.filter((one) => one.name.includes(name)))
    explored.push(await explore(worker, flow));
  const faults = explored.flatMap((one) => one.faults);
  for (const fault of faults) console.log(fault.slice(0, 600));
  const sum = (of: "points" | "runs") => explored.reduce((total, one) => total + one[of], 0);
  const verdict = faults.length === 0 ? "all equal" : `${faults.length} differ`;
  console.log(
    `crash points: ${explored.length} flows, ${sum("points")} points, ${sum("runs")} runs, ${verdict}`,
  );
  process.exitCode = faults.length === 0 && explored.length > 0 ? 0 : 1;
}
