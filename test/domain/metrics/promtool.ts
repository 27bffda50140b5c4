import { spawnSync } from "node:child_process";

/**
 * What `promtool check metrics` has to say about a page: nothing, when all is well. Where there is
 * no promtool the strict reader is the only judge; the machine that decides (CI) must have one, and
 * fails here without.
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
