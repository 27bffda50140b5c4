/**
 * `npm test`: every suite, then one line that says how many tests passed and failed, added up from
 * the runner's own reports. Arguments go on to vitest (`npm test -- --project domain`), which then
 * runs once.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly success: boolean;
}

interface Outcome {
  readonly passed: number;
  readonly failed: number;
}

const root = join(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "inversorai-tests-"));
let runs = 0;

/** One run of vitest. A `later` one keeps what it says until it is over, so that two do not mix. */
async function vitest(args: readonly string[], says: "at once" | "later"): Promise<Outcome> {
  const report = join(folder, `report-${++runs}.json`);
  const run = spawn(
    process.execPath,
    [
      join(root, "node_modules/vitest/vitest.mjs"),
      "run",
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${report}`,
      ...args,
    ],
    {
      cwd: root,
      stdio: says === "at once" ? "inherit" : ["ignore", "pipe", "pipe"],
      env: {
        ...process.env,
        CLOUDFLARE_CF_FETCH_ENABLED: "false",
        WRANGLER_SEND_METRICS: "false",
        // The worker's required secrets; the tests set their values themselves.
        ADMIN_API_KEY: "test-admin-key-0123456789",
        ENCRYPTION_KEY: "set by each test",
      },
    },
  );
  const kept: Buffer[] = [];
  run.stdout?.on("data", (chunk: Buffer) => kept.push(chunk));
  run.stderr?.on("data", (chunk: Buffer) => kept.push(chunk));
  const code = await new Promise<number | null>((resolve) => run.once("close", resolve));
  process.stdout.write(Buffer.concat(kept));
  if (!existsSync(report)) return { passed: 0, failed: 1 };
  const { numPassedTests, numFailedTests, success } = JSON.parse(
    readFileSync(report, "utf8"),
  ) as Report;
  // A file that does not even load has no tests to count, and neither has coverage that is too low:
  // failures all the same.
  const green = code === 0 && success && numPassedTests > 0;
  return { passed: numPassedTests, failed: green ? numFailedTests : Math.max(1, numFailedTests) };
}

/**
 * The rules first, with their coverage. Then what keeps the cores busy, and beside it what mostly
 * waits.
 */
async function everything(): Promise<readonly Outcome[]> {
  const rules = await vitest(["--project", "domain", "--coverage"], "at once");
  const others = await Promise.all([
    vitest(["--project", "worker", "--project", "chaos"], "at once"),
    vitest(["--project", "e2e"], "later"),
  ]);
  return [rules, ...others];
}

try {
  const args = process.argv.slice(2);
  const outcomes = args.length > 0 ? [await vitest(args, "at once")] : await everything();
  const passed = outcomes.reduce((total, one) => total + one.passed, 0);
  const failed = outcomes.reduce((total, one) => total + one.failed, 0);
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
