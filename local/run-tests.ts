/**
 * `npm test`: every suite, then one line that says how many tests passed and failed, added up from
 * the runner's own report. Arguments go on to vitest (`npm test -- --project domain`).
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numFailedTestSuites: number;
  readonly success: boolean;
}

const root = join(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "inversorai-tests-"));
const report = join(folder, "report.json");
try {
  const run = spawnSync(
    process.execPath,
    [
      join(root, "node_modules/vitest/vitest.mjs"),
      "run",
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${report}`,
      ...process.argv.slice(2),
    ],
    {
      cwd: root,
      stdio: "inherit",
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
  const { numPassedTests, numFailedTests, numFailedTestSuites, success } = JSON.parse(
    readFileSync(report, "utf8"),
  ) as Report;
  // A file that does not even load has no tests to count, and is a failure all the same.
  const failed = Math.max(
    numFailedTests,
    success ? 0 : Math.max(1, numFailedTestSuites > 0 ? 1 : 0),
  );
  console.log(`${numPassedTests} passed, ${failed} failed`);
  process.exitCode = run.status === 0 && success && numPassedTests > 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
