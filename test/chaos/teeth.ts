/**
 * `npm run teeth [-- name]`: takes each safety check out of a copy of the product, one at a time,
 * and expects the suite that guards it to fail. A check that no suite needs is a promise that is
 * not kept.
 */
import { spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { Suite, Tooth } from "./teeth/tooth.ts";
import { TEETH } from "./teeth-table.ts";

const ROOT = join(import.meta.dirname, "../..");
const LEFT_OUT = new Set(["node_modules", ".git", ".state", ".wrangler"]);
const MAX_MS = 600_000;

/** A copy inside the tree, in a folder that git ignores: so it finds the same packages. */
function copyTree(): string {
  mkdirSync(join(ROOT, ".state"), { recursive: true });
  const copy = mkdtempSync(join(ROOT, ".state/teeth-"));
  for (const name of readdirSync(ROOT).filter((one) => !LEFT_OUT.has(one)))
    cpSync(join(ROOT, name), join(copy, name), { recursive: true });
  // A process of its own finds its tools here.
  symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));
  return copy;
}

const commandOf = (suite: Suite): string[] => {
  if ("seeds" in suite) {
    const from = String(suite.from ?? 1);
    return ["test/chaos/main.ts", "--seeds", String(suite.seeds), "--from", from, "--first"];
  }
  if ("crashPoints" in suite) return ["test/chaos/main.ts", "--crash-points", suite.crashPoints];
  const only = suite.test === undefined ? [] : ["-t", suite.test];
  // A machine that is busy with something else must not make a test look as if it had noticed.
  const patience = "--testTimeout=180000";
  return [
    join(ROOT, "node_modules/vitest/vitest.mjs"),
    "run",
    patience,
    "--project",
    suite.project,
    suite.file,
    ...only,
  ];
};

/** True if the suite passes in a tree; its last words when it could not even begin. */
function passes(tree: string, suite: Suite): boolean {
  const { status, error } = spawnSync(process.execPath, commandOf(suite), {
    cwd: tree,
    timeout: MAX_MS,
    encoding: "utf8",
    env: {
      ...process.env,
      CLOUDFLARE_CF_FETCH_ENABLED: "false",
      WRANGLER_SEND_METRICS: "false",
      ADMIN_API_KEY: "test-admin-key-0123456789",
      ENCRYPTION_KEY: "set by each test",
    },
  });
  if (error !== undefined) throw error;
  return status === 0;
}

const nameOf = (suite: Suite): string => {
  if ("seeds" in suite)
    return suite.seeds === 1 ? `chaos seed ${suite.from}` : `chaos, ${suite.seeds} seeds`;
  return "crashPoints" in suite ? `crash points: ${suite.crashPoints}` : suite.file;
};

/** Takes one check out, runs its suite, and puts the check back. */
function isNoticed(tree: string, { name, file, text, without, noticedBy }: Tooth): boolean {
  const path = join(tree, file);
  const source = readFileSync(path, "utf8");
  if (source.split(text).length !== 2)
    throw new Error(`"${name}": its text stands ${source.split(text).length - 1} times in ${file}`);
  writeFileSync(
    path,
    source.replace(text, () => without),
  );
  try {
    return !passes(tree, noticedBy);
  } finally {
    writeFileSync(path, source);
  }
}

/** A suite that is red anyway notices nothing; each is seen green first, once. */
const green = new Map<string, boolean>();
function isGreen(tree: string, suite: Suite): boolean {
  const key = JSON.stringify(suite);
  const known = green.get(key) ?? passes(tree, suite);
  green.set(key, known);
  return known;
}

const wanted = process.argv.slice(2);
const chosen = TEETH.filter(
  ({ name }) => wanted.length === 0 || wanted.some((word) => name.includes(word)),
);
const tree = copyTree();
let noticed = 0;
try {
  for (const tooth of chosen) {
    const startedAt = Date.now();
    const ready = isGreen(tree, tooth.noticedBy);
    const seen = ready && isNoticed(tree, tooth);
    if (seen) noticed += 1;
    const seconds = ((Date.now() - startedAt) / 1000).toFixed(0);
    console.log(
      `${seen ? "noticed" : ready ? "MISSED " : "RED    "}  ${tooth.name.padEnd(56)}${nameOf(tooth.noticedBy).padEnd(36)}${seconds.padStart(4)} s`,
    );
  }
} finally {
  rmSync(tree, { recursive: true, force: true });
}
console.log(`teeth: ${chosen.length} checks removed, ${noticed} noticed`);
process.exitCode = noticed === chosen.length && chosen.length > 0 ? 0 : 1;
