import { loadWorker } from "./load.ts";
import { runSeed } from "./run-seed.ts";
const worker = await loadWorker();
const from = Number(process.argv[2] ?? 1), n = Number(process.argv[3] ?? 1), verbose = process.argv[4] === "-v";
const t = performance.now();
let steps=0;
for (let s = from; s < from + n; s++) {
  const r = await runSeed(worker, s, verbose ? (l) => process.stdout.write(l.slice(0,260) + "\n") : null);
  steps+=r.steps;
  if (n<30||r.violations.length) process.stdout.write(`${s} ${r.hash} steps ${r.steps} faults ${[...r.faults.values()].reduce((a, b) => a + b, 0)} ${JSON.stringify(r.violations).slice(0,600)}\n`);
}
process.stdout.write(`${((performance.now() - t) / n).toFixed(1)} ms per seed, ${steps/n} steps\n`);
