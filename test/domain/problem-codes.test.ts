import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const table = /export const PROBLEMS = \{([\s\S]*?)\n\} as const/.exec(
  readFileSync(join(root, "src/api/http/problem-codes.ts"), "utf8"),
)?.[1];
const answered = [...(table ?? "").matchAll(/^ {2}(\w+): \[(\d{3}),/gm)].map(
  ([, code = "", status]) => [code, Number(status)],
);

/** The rows of the page's table of refusals: statuses, then codes. */
const page =
  readFileSync(join(root, "docs/api.md"), "utf8").split("## Refusals")[1]?.split("\n## ")[0] ?? "";
const described = page.split("\n").flatMap((line) => {
  const [, statuses, codes] = /^\| (\d{3}(?:, \d{3})*) \| (.+) \|$/.exec(line) ?? [];
  if (statuses === undefined || codes === undefined) return [];
  const named = [...codes.matchAll(/`([a-z_]+)`/g)].map(([, code = ""]) => code);
  return [{ statuses: statuses.split(", ").map(Number), codes: named }];
});

describe("docs/api.md", () => {
  test.each(answered)("describes %s with its status, %i", (code, status) => {
    const row = described.find(({ codes }) => codes.includes(String(code)));
    expect(row?.statuses ?? []).toContain(status);
  });

  test("describes no code that is never answered", () => {
    const known = answered.map(([code]) => code);
    expect(known.length).toBeGreaterThan(20);
    expect(described.flatMap(({ codes }) => codes).filter((code) => !known.includes(code))).toEqual(
      [],
    );
  });

  test("describes no status without one of its codes", () => {
    const statuses = described.flatMap((row) =>
      row.statuses.filter(
        (status) =>
          !row.codes.some((code) => answered.some(([name, at]) => name === code && at === status)),
      ),
    );
    expect(statuses).toEqual([]);
  });
});
