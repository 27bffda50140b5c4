import { readFileSync } from "node:fs";
import { checkBars } from "../../../src/domain/asset/check-bars.ts";
import type { BarRow } from "../../../src/domain/asset/read-bar.ts";
import { barsOf, readJsonBars } from "../../../src/domain/asset/read-bars.ts";
import { understand } from "../../../src/domain/import/understand.ts";
import { barKey } from "../../../src/domain/market/bar-key.ts";
import {
  decodeFile,
  importRequest,
  MAX_IMPORT_ROWS,
  tooMuchJson,
} from "../../../src/queues/ingest/import-format.ts";

/*
 * memory.test.ts runs this in a process of its own: it reads one file as an import does, from its
 * bytes to checked bars or errors, and prints the growth of the process beyond its size with the
 * file loaded.
 */

const [path = "", format = ""] = process.argv.slice(2);
const calendar = "XNYS";
const resolution = "1d";

const rowsOf = (bytes: ArrayBuffer): { rows: readonly BarRow[]; said: string } => {
  if (format === "json") {
    const { text } = decodeFile(bytes);
    const tooMuch = tooMuchJson(text);
    if (tooMuch !== null) return { rows: [], said: tooMuch };
    const parsed = importRequest.safeParse(JSON.parse(text));
    if (!parsed.success)
      return { rows: [], said: JSON.stringify(parsed.error.issues.slice(0, 100)) };
    const reading = readJsonBars(parsed.data.bars, { resolution, calendar });
    return reading.ok
      ? { rows: reading.bars, said: JSON.stringify(parsed.data) }
      : { rows: [], said: JSON.stringify(reading.errors) };
  }
  const understood = understand(decodeFile(bytes).text, {
    maxRows: MAX_IMPORT_ROWS,
    calendar,
    answers: {},
  });
  const reading = barsOf(understood);
  return reading.ok
    ? { rows: reading.bars, said: "" }
    : { rows: [], said: JSON.stringify(reading.errors) };
};

const file = readFileSync(path);
const bytes = file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength);
globalThis.gc?.();
const before = process.memoryUsage().rss;
const { rows, said } = rowsOf(bytes);
const checked = checkBars(rows, {
  now: Date.UTC(2024, 0, 1),
  resolution,
  keyOf: (instant) => barKey(resolution, calendar, instant),
});
// In kilobytes, and over the whole life of the process.
const peak = process.resourceUsage().maxRSS * 1024;
console.log(
  JSON.stringify({
    megabytes: (peak - before) / 2 ** 20,
    bars: checked.ok ? checked.bars.length : 0,
    refused: checked.ok ? 0 : checked.total,
    said: said.slice(0, 200),
  }),
);
