/**
 * The schema and the migrations must agree. drizzle-kit compares them; here it may find nothing to
 * add, so running it may not change the folder.
 */
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import drizzleConfig from "../drizzle.config.ts";

const root = join(import.meta.dirname, "..");
const copy = mkdtempSync(join(tmpdir(), "inversorai-schema-"));
try {
  cpSync(join(root, "migrations"), join(copy, "migrations"), { recursive: true });
  const before = readdirSync(join(copy, "migrations"));
  execFileSync(
    join(root, "node_modules/.bin/drizzle-kit"),
    [
      "generate",
      "--dialect=sqlite",
      ...[drizzleConfig.schema ?? []].flat().map((file) => `--schema=${file}`),
      `--out=${join(copy, "migrations")}`,
    ],
    { cwd: root, stdio: "pipe" },
  );
  const after = readdirSync(join(copy, "migrations"));
  if (after.length !== before.length) {
    console.error(
      "The drizzle schema has changes that no migration holds: run `npm run generate -- --name <what>`.",
    );
    process.exitCode = 1;
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
}
