/**
 * `npm run fuzz -- --requests N [--seed S] [--at-once C]`: asks a fresh system N random questions
 * and says what it found.
 */
import { loadavg } from "node:os";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { startSystem, stopEverything } from "../e2e/system.ts";
import { fuzz } from "./fuzz.ts";

const { values } = parseArgs({
  options: {
    requests: { type: "string", default: "5000" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    "at-once": { type: "string", default: "4" },
  },
});
const requests = Number(values.requests);
const seed = Number(values.seed);
const atOnce = Number(values["at-once"]);
for (const [name, value] of Object.entries({ requests, seed, "at-once": atOnce })) {
  if (Number.isInteger(value) && value >= 1 && value <= 10_000_000) continue;
  console.error(`--${name} is a whole number from 1 on`);
  process.exit(2);
}

console.log(`fuzz: ${requests} requests, seed ${seed}`);
// Where the machine itself stands still, so does this process: then a slow answer is nobody's
// fault.
const pauses = monitorEventLoopDelay();
const system = await startSystem({ env: { DEMO: "off", WEBHOOK_ALLOW_LOOPBACK: "on" } });
try {
  pauses.enable();
  const report = await fuzz({
    origin: system.origin,
    key: system.key,
    requests,
    seed,
    atOnce,
    tell: console.log,
  });
  const alive = (await system.api.ask("GET", `${system.origin}/ready`)).status === 200;
  for (const line of report.lines()) console.log(line);
  const pause = Math.round(pauses.max / 1e6);
  console.log(
    `this process's own longest pause: ${pause} ms; load ${loadavg()
      .map((one) => one.toFixed(1))
      .join(" ")}`,
  );
  for (const [what, alike] of Map.groupBy(report.faults, ({ what }) => what))
    console.log(`${alike.length} × ${what}`);
  console.log(
    `fuzz: seed ${seed}, ${report.requests} requests, ${report.faults.length} faults, ${report.slow} answers over 5 s, ` +
      `${alive ? "ready" : "not ready"} after it`,
  );
  process.exitCode = report.faults.length === 0 && report.slow === 0 && alive ? 0 : 1;
} finally {
  await stopEverything();
}
