/**
 * `npm run kill -- --times N [--seed S]`: kills the system N times in the middle of its work and
 * says what it found.
 */
import { parseArgs } from "node:util";
import { soak } from "./soak.ts";

const { values } = parseArgs({
  options: { times: { type: "string", default: "50" }, seed: { type: "string", default: "1" } },
});
const report = await soak(Number(values.times), Number(values.seed), console.log);
for (const violation of report.violations.slice(0, 20)) console.log(`violation: ${violation}`);
console.log(
  `kill: ${report.kills} kills, ${report.accepted} imports accepted, ${report.events} events, ` +
    `${report.delivered} deliveries (${report.repeatedDeliveries} repeated), ${report.violations.length} violations`,
);
process.exit(report.violations.length === 0 ? 0 : 1);
