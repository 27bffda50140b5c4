import fc from "fast-check";
import { expect, test } from "vitest";
import type { Bar } from "../../../src/domain/asset/bar.ts";
import { readCsvBars } from "../../../src/domain/asset/read-bars.ts";
import { LISTED_ERRORS } from "../../../src/domain/asset/row-error.ts";

const COLUMNS = ["timestamp", "open", "high", "low", "close", "volume"] as const;

const price = fc.double({ min: -1e15, max: 1e15, noNaN: true }).map((value) => value + 0);
const volume = fc.option(fc.double({ min: 0, max: 1e18, noNaN: true }).map((value) => value + 0));
const instant = fc.integer({ min: Date.UTC(0, 0), max: Date.UTC(9999, 0) });
const range = fc.oneof(
  fc.record({ open: price, high: price, low: price }),
  fc.constant({ open: null, high: null, low: null }),
);
const bar: fc.Arbitrary<Bar> = fc
  .tuple(fc.record({ timestamp: instant, close: price, volume }), range)
  .map(([known, prices]) => ({ ...known, ...prices }));

const dialect = fc.record({
  mark: fc.constantFrom("", "\ufeff"),
  end: fc.constantFrom("\n", "\r\n", "\r"),
  delimiter: fc.constantFrom(",", ";", "\t"),
  quoted: fc.boolean(),
  spaced: fc.boolean(),
  upper: fc.boolean(),
  extra: fc.array(fc.constantFrom("note", "adj close", "symbol"), { maxLength: 1 }),
  remark: fc.constantFrom("", "x", 'say "1,2;3"', "two\nlines", "1/2/2020"),
  columns: fc.shuffledSubarray([...COLUMNS], { minLength: 6 }),
  alias: fc.constantFrom("timestamp", "date", "time", "datetime"),
  trailing: fc.constantFrom("", "\n", "\n\n  \n"),
});

type Dialect = typeof dialect extends fc.Arbitrary<infer D> ? D : never;

const write = (bars: readonly Bar[], style: Dialect): string => {
  const { mark, end, delimiter, quoted, spaced, upper, extra, remark, columns, alias, trailing } =
    style;
  const field = (text: string): string => {
    if (quoted || /[",;\t\n]/.test(text)) return `"${text.replaceAll('"', '""')}"`;
    return spaced ? ` ${text} ` : text;
  };
  const cell = (of: Bar, column: (typeof COLUMNS)[number]): string =>
    column === "timestamp" ? new Date(of.timestamp).toISOString() : String(of[column] ?? "");
  const names = [...columns.map((name) => (name === "timestamp" ? alias : name)), ...extra];
  const header = names.map((name) => field(upper ? name.toUpperCase() : name));
  const rows = bars.map((one) => [
    ...columns.map((column) => field(cell(one, column))),
    ...extra.map(() => field(remark)),
  ]);
  const text = [header, ...rows].map((fields) => fields.join(delimiter)).join("\n") + trailing;
  return mark + text.replaceAll("\n", end);
};

test("bars written in any dialect come back as they were, in the order of the file", () => {
  fc.assert(
    fc.property(fc.array(bar, { minLength: 1, maxLength: 20 }), dialect, (bars, style) => {
      const reading = readCsvBars(write(bars, style), { maxRows: 20 });
      expect(reading.ok ? reading.bars.map((row) => row.bar) : reading).toEqual(bars);
      expect(reading.ok ? reading.bars.map((row) => row.row) : []).toEqual(
        bars.map((_, index) => index + 1),
      );
    }),
    { numRuns: 300 },
  );
});

test("a file the other way round gives the same bars the other way round", () => {
  fc.assert(
    fc.property(fc.array(bar, { minLength: 1, maxLength: 20 }), dialect, (bars, style) => {
      const there = readCsvBars(write(bars, style), { maxRows: 20 });
      const back = readCsvBars(write(bars.toReversed(), style), { maxRows: 20 });
      expect(back.ok && back.bars.map((row) => row.bar).toReversed()).toEqual(
        there.ok && there.bars.map((row) => row.bar),
      );
    }),
  );
});

const fragments = fc.constantFrom(
  ...'",;\t\r\n 0123456789.eE+-:TZ/\u0000\ufeff',
  "2020-01-02",
  "close",
  "1e999",
  "NaN",
  "😀",
);
const likeCsv = fc.array(fragments, { maxLength: 200 }).map((pieces) => pieces.join(""));

test.each([
  ["any text", fc.string({ unit: "binary", maxLength: 300 })],
  ["text made of the pieces of CSV", likeCsv],
  ["such rows under a right header", likeCsv.map((text) => `${COLUMNS.join(",")}\n${text}`)],
])("%s is read or refused, and never throws", (_, text) => {
  fc.assert(
    fc.property(text, (upload) => {
      const reading = readCsvBars(upload, { maxRows: 50 });
      if (reading.ok) {
        for (const { bar: read } of reading.bars) {
          expect(Number.isFinite(read.timestamp)).toBe(true);
          expect(Math.abs(read.close)).toBeLessThanOrEqual(1e15);
        }
      } else expect(reading.errors.length).toBeGreaterThan(0);
      if (!reading.ok)
        expect(reading.errors.length).toBeLessThanOrEqual(LISTED_ERRORS + COLUMNS.length);
    }),
    { numRuns: 500 },
  );
});

/** Milliseconds for a file of daily rows, the best of five because the machine is shared. */
const readingTime = (count: number): number => {
  const rows = Array.from(
    { length: count },
    (_, day) =>
      `${new Date(day * 86_400_000).toISOString().slice(0, 10)},100.123456,101.5,99.25,100.5,123456789`,
  );
  const text = [COLUMNS.join(","), ...rows].join("\n");
  const timings = [1, 2, 3, 4, 5].map(() => {
    const start = performance.now();
    expect(readCsvBars(text, { maxRows: 20_000 }).ok).toBe(true);
    return performance.now() - start;
  });
  return Math.min(...timings);
};

test("ten times the rows take about ten times as long", { timeout: 60_000, retry: 3 }, () => {
  readingTime(2_000);
  expect(readingTime(20_000)).toBeLessThan(40 * Math.max(1, readingTime(2_000)));
});

test.each([
  ["quotes", '"'.repeat(1_000_000)],
  ["quoted commas", '",'.repeat(500_000)],
  ["doubled quotes", `"${'""'.repeat(500_000)}`],
  ["delimiters", ",".repeat(1_000_000)],
  ["columns of other names", Array.from({ length: 150_000 }, (_, index) => `c${index}`).join(",")],
  ["blank lines", "\n".repeat(1_000_000)],
  ["records of two letters", "a\n".repeat(500_000)],
  ["one long number", `${COLUMNS.join(",")}\n2020-01-02,,,,${"1".repeat(1_000_000)},`],
])("a megabyte of %s is refused in linear time", (_, text) => {
  const start = performance.now();
  expect(readCsvBars(text, { maxRows: 20_000 }).ok).toBe(false);
  expect(performance.now() - start).toBeLessThan(3_000);
});
