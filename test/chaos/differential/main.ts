/**
 * Runs the same scripted load over the simulator and over workerd: both must leave the same state.
 * So the simulator's findings hold for the real system too. Ids, clocks and addresses are left out
 * of the comparison, because they differ between any two runs.
 */
import { loadWorker } from "../load.ts";
import { real } from "./real.ts";
import { simulated } from "./simulated.ts";

const left = await simulated(await loadWorker());
const right = await real();
// A load that is refused compares nothing.
const differences = left.answers
  .filter((status) => status >= 300)
  .map((status) => `a request was answered ${status}`);
if (JSON.stringify(left.answers) !== JSON.stringify(right.answers))
  differences.push(`answers: simulated ${left.answers.join(" ")}, real ${right.answers.join(" ")}`);
let rows = 0;
for (const part of new Set([...Object.keys(left.state), ...Object.keys(right.state)])) {
  const [one, other] = [left.state[part] ?? [], right.state[part] ?? []];
  rows += one.length;
  const missing = one.filter((line) => !other.includes(line));
  const extra = other.filter((line) => !one.includes(line));
  if (one.length !== other.length || missing.length + extra.length > 0)
    differences.push(
      `${part}: only simulated [${missing.slice(0, 3).join(" · ")}], only real [${extra.slice(0, 3).join(" · ")}], ${one.length} and ${other.length}`,
    );
}
for (const difference of differences) console.log(difference.slice(0, 900));
console.log(
  `differential: ${left.answers.length} requests, ${rows} rows compared, ${differences.length} differences`,
);
process.exit(differences.length === 0 && rows > 900 ? 0 : 1);
