import { describe, expect, test } from "vitest";
import { HELD } from "./limits.ts";
import { limitsIn, limitsInSource } from "./limits-of.ts";

const listed = HELD.flatMap(({ bounds }) => bounds);
const found = limitsInSource();

describe("data beyond a bound is handled somewhere", () => {
  test("every bound is on the list: its author states what handles the rest", () => {
    expect(found.filter((bound) => !listed.includes(bound))).toEqual([]);
  });

  test("the list names only existing bounds, each once", () => {
    expect(listed.filter((bound) => !found.includes(bound))).toEqual([]);
    expect(listed.filter((bound, at) => listed.indexOf(bound) !== at)).toEqual([]);
  });
});

describe("the search for bounds", () => {
  test.each([
    ["a constant", "const MAX_ROWS = 10;", ["a.ts MAX_ROWS"]],
    [
      "a page",
      "export const PAGE = 10; const ROWS_AT_ONCE = 5;",
      ["a.ts PAGE", "a.ts ROWS_AT_ONCE"],
    ],
    ["a constant inside a function", "function f() { const MAX_X = 1; }", ["a.ts MAX_X"]],
    ["a query", 'function readRows() { db.prepare("SELECT 1 LIMIT ?3"); }', ["a.ts readRows()"]],
    [
      "a query with parts",
      "const rows = () => db.prepare(`SELECT $" + "{x} LIMIT $" + "{n}`);",
      ["a.ts rows()"],
    ],
    ["a number in a method", 'class A { list() { return sql("x LIMIT 10"); } }', ["a.ts list()"]],
    [
      "a query in a callback",
      'const all = () => f(() => { const s = "LIMIT 5"; });',
      ["a.ts all()"],
    ],
    ["none in prose", "// LIMIT 5\nconst text = 'the limit is 5';", []],
  ])("finds %s", (_, code, bounds) => {
    expect(limitsIn("a.ts", code)).toEqual(bounds);
  });

  test("finds them where they are", () => {
    expect(found.length).toBeGreaterThan(150);
  });
});
