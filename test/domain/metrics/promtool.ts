import { spawnSync } from "node:child_process";

/**
 * The complaints of `promtool check metrics` about a page: none, when it is valid. Without promtool
 * only the strict reader checks the page; CI must have promtool, and fails here without.
 */
export function complaintsOfPromtool(page: string): string {
  const { error, stdout, stderr, status } = spawnSync("promtool", ["check", "metrics"], {
    input: page,
    encoding: "utf8",
    timeout: 30_000,
  });
  if (error === undefined)
    return status === 0 ? `${stdout}${stderr}` : `exit code ${status}: ${stdout}${stderr}`;
  return process.env["CI"] === "true" ? `promtool cannot be run: ${error.message}` : "";
}
