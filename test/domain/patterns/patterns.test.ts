import { describe, expect, test } from "vitest";
import { attackOf, attacksOn } from "./attacks.ts";
import { type FoundPattern, patternsIn, patternsInSource } from "./patterns-of.ts";

const SHORT = 10_000;
const LONG = 100_000;

/**
 * Ten times the text may take thirty times as long; a quadratic pattern takes a hundred times as
 * long.
 */
const MAX_GROWTH = 30;

/**
 * Below this a time is the machine's and not the pattern's (ms). A linear pattern scans 100 KB in
 * some tenths of one.
 */
const NOISE = 40;

/**
 * Patterns that only ever read texts of this installation's operator or its own code, with the
 * author. Every other text counts as external.
 */
const OUR_OWN_TEXT: Readonly<{ [pattern: string]: string }> = {
  "config.ts /\\/+$/": "PUBLIC_ORIGIN, a variable",
  "sources/vendor.ts /\\/+$/": "a vendor's address, a variable",
};

const millisecondsOf = (pattern: RegExp, text: string): number => {
  const start = performance.now();
  // A global pattern is run over all of a text, the others to their first match.
  if (pattern.global) text.replace(pattern, "");
  else pattern.test(text);
  return performance.now() - start;
};

/** The quickest of some runs, because the machine is shared. */
const quickest = (pattern: RegExp, text: string, runs: number): number => {
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run < runs; run += 1) {
    best = Math.min(best, millisecondsOf(pattern, text));
    if (best > 1_000) break;
  }
  return best;
};

/** The slowest attacks at 10 KB, which are timed at 100 KB too: no other can be worse there. */
const TRIED_LONG = 3;

/** The attack under which a pattern takes more than its share, or null. */
const slowAttack = (pattern: RegExp): string | null => {
  const tried = [...attacksOn(pattern)].map(({ unit, end }) => {
    const short = attackOf(unit, end, SHORT);
    return { unit, end, short, brief: millisecondsOf(pattern, short) };
  });
  for (const { unit, end, short } of tried.sort((a, b) => b.brief - a.brief).slice(0, TRIED_LONG)) {
    const brief = Math.max(quickest(pattern, short, 3), 0.05);
    // Nobody needs to wait for the hundredfold of this.
    const long = brief > NOISE ? brief * 100 : quickest(pattern, attackOf(unit, end, LONG), 10);
    if (long > NOISE && long > brief * MAX_GROWTH)
      return `${JSON.stringify(unit)} repeated, then ${JSON.stringify(end)}: ${brief.toFixed(2)} ms for 10 KB, ${long.toFixed(0)} ms for 100 KB`;
  }
  return null;
};

const found = patternsInSource();
const nameOf = ({ file, written }: FoundPattern): string => `${file} ${written}`;

describe("a regular expression that meets text from outside is linear", () => {
  test.each(
    found
      .filter((one) => one.pattern !== null && !(nameOf(one) in OUR_OWN_TEXT))
      .map((one) => [nameOf(one), one.pattern ?? /x/] as const),
  )("%s", { timeout: 120_000 }, (_, pattern) => {
    // A quadratic pattern is slow every time; a busy machine seldom five times in a row.
    let slow = slowAttack(pattern);
    for (let again = 0; slow !== null && again < 4; again += 1) slow = slowAttack(pattern);
    expect(slow).toBeNull();
  });
});

test("the list of patterns is complete: the author of a new one checks it", async () => {
  const list = [...new Set(found.map(nameOf))].join("\n");
  await expect(`${list}\n`).toMatchFileSnapshot("patterns.txt");
});

test("every excluded pattern still exists", () => {
  const names = new Set(found.map(nameOf));
  expect(Object.keys(OUR_OWN_TEXT).filter((name) => !names.has(name))).toEqual([]);
});

describe("the measure", () => {
  test.each([
    [
      "a decimal whose point is optional between digits",
      /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/,
    ],
    ["a word with a digit somewhere", /[\w.:+-]*\d[\w.:+-]*/g],
    ["trailing marks without an anchor in front", /[.\-_=^]+$/],
  ])("finds %s", { timeout: 120_000 }, (_, pattern) => {
    expect(slowAttack(pattern)).not.toBeNull();
  });

  test("finds patterns wherever they are written", () => {
    const code = 'const a = x / 2 / y; text.replace(/a+/g, "/no/"); new RegExp("^" + b);';
    expect(patternsIn("a.ts", code).map(({ written }) => written)).toEqual([
      "/a+/g",
      'new RegExp("^" + b)',
    ]);
  });
});
