import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const MEGABYTES = 8_000_000;
/** Max memory of an import in addition to the file itself; a Worker has 128 MB for everything. */
const MAX_MEGABYTES = 96;

const HEADER = "timestamp,open,high,low,close,volume\n";
const ROWS = 25_000;
const dateOf = (row: number): string =>
  new Date(Date.UTC(1950, 0, 1) + row * 86_400_000).toISOString().slice(0, 10);
const filled = (head: string, unit: string): string =>
  head +
  unit.repeat(Math.ceil((MEGABYTES - head.length) / unit.length)).slice(0, MEGABYTES - head.length);
/** As many rows as are taken, so wide that they fill the file. */
const rows = (row: (index: number) => string, end = ""): string =>
  [HEADER.trimEnd() + end, ...Array.from({ length: ROWS }, (_, index) => row(index))].join("\n");
const wide = "x".repeat(260);

const FILES: readonly (readonly [
  name: string,
  format: "csv" | "json",
  file: () => string | Uint8Array,
])[] = [
  ["rows of a letter", "csv", () => filled("", "a\n")],
  ["rows of a letter under a header", "csv", () => filled(HEADER, "1\n")],
  ["rows of two numbers", "csv", () => filled(HEADER, "1,1\n")],
  ["blank lines", "csv", () => filled(HEADER, "\n")],
  ["commas", "csv", () => filled("", ",")],
  ["commas below a header", "csv", () => filled(HEADER, ",")],
  [
    "a thousand columns",
    "csv",
    () => filled(`${HEADER.trimEnd()}${",".repeat(990)}\n`, `${"1,".repeat(900)}\n`),
  ],
  ["quotes", "csv", () => filled("", '"')],
  [
    "one quoted cell",
    "csv",
    () => `${filled(`${HEADER.trimEnd()},note\n2020-01-02,,,,1,,"`, '""')}"`,
  ],
  ["one long number", "csv", () => filled(`${HEADER}2020-01-02,,,,`, "1")],
  [
    "good rows with long remarks",
    "csv",
    () => rows((index) => `${dateOf(index)},1.5,2.25,0.5,1.75,1000,"${wide}"`, ",note"),
  ],
  [
    "rows of which every field is refused",
    "csv",
    () =>
      rows(
        () =>
          `no date ${wide.slice(0, 50)},${`${wide.slice(0, 50)},`.repeat(4)}${wide.slice(0, 50)}`,
      ),
  ],
  [
    "rows with long remarks in Greek",
    "csv",
    () => rows((index) => `${dateOf(index)},1.5,2.25,0.5,1.75,1000,"${"λ".repeat(130)}"`, ",note"),
  ],
  [
    "UTF-16",
    "csv",
    () =>
      Buffer.from(
        `\ufeff${rows((index) => `${dateOf(index)},1.5,2.25,0.5,1.75,1000,${"x".repeat(110)}`, ",note")}`,
        "utf16le",
      ),
  ],
  [
    "bytes that are no text",
    "csv",
    () => Uint8Array.from({ length: MEGABYTES }, (_, at) => (at * 197 + 13) % 256),
  ],
  ["bars without anything", "json", () => `${filled('{"bars":[', "{},")}{}]}`],
  ["zeros", "json", () => `${filled('{"bars":[', "0,")}0]}`],
  ["lists in lists", "json", () => filled("", "[")],
  ["one long text", "json", () => `${filled('{"bars":[{"timestamp":"', "x")}","close":1}]}`],
  [
    "good bars",
    "json",
    () =>
      JSON.stringify({
        bars: Array.from({ length: ROWS }, (_, index) => ({
          timestamp: `${dateOf(index)}T14:30:00.000+00:00`,
          open: 123456.789012,
          high: 223456.789012,
          low: 23456.7890123,
          close: 123456.789012,
          volume: 123456789012,
        })),
      }),
  ],
  [
    "bars of which every field is refused",
    "json",
    () =>
      JSON.stringify({
        bars: Array.from({ length: ROWS }, () => ({
          timestamp: wide.slice(0, 60),
          open: "x",
          high: "x",
          low: "x",
          close: "x",
          volume: "x",
        })),
      }),
  ],
];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "import-memory-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = promisify(execFile);

test.each(FILES)(
  `8 MB of %s (%s) need at most ${MAX_MEGABYTES} MB in addition to the file`,
  { timeout: 120_000 },
  async (_, format, file) => {
    const path = join(folder, "upload");
    writeFileSync(path, file());
    // A Worker collects garbage under pressure, which Node with all of a machine's memory does not
    // feel.
    const flags = ["--expose-gc", "--max-old-space-size=96", "--max-semi-space-size=4"];
    const child = join(import.meta.dirname, "memory-child.ts");
    const { stdout } = await run(process.execPath, [...flags, child, path, format]);
    const told = JSON.parse(stdout) as {
      megabytes: number;
      bars: number;
      refused: number;
      said: string;
    };
    expect(told.megabytes).toBeLessThan(MAX_MEGABYTES);
    expect(told.bars > 0 || told.refused > 0 || told.said !== "").toBe(true);
  },
);
