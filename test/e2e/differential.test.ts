import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

test("the same load leaves the same behind in the simulator and in workerd", {
  timeout: 300_000,
}, () => {
  const script = join(import.meta.dirname, "../chaos/differential/main.ts");
  const run = spawnSync(process.execPath, ["--disable-warning=ExperimentalWarning", script], {
    encoding: "utf8",
    timeout: 240_000,
  });
  const last = run.stdout.trim().split("\n").at(-1) ?? "";
  expect(last, run.stdout + run.stderr).toMatch(
    /^differential: \d+ requests, \d+ rows compared, 0 differences$/,
  );
  expect(run.status).toBe(0);
  console.log(last);
});
