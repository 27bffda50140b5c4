import { describe, expect, test } from "vitest";
import { requestedIn } from "../../../src/domain/import/question.ts";
import { understand } from "../../../src/domain/import/understand.ts";
import type { Understanding } from "../../../src/domain/import/understanding.ts";
import { barKey } from "../../../src/domain/market/bar-key.ts";
import { decodeFile } from "../../../src/queues/ingest/import-format.ts";
import { EXPORTS, type Export } from "./exports.ts";

const bytesOf = (file: Export["file"]): ArrayBuffer => {
  const bytes = typeof file === "string" ? new TextEncoder().encode(file) : file;
  return Uint8Array.from(bytes).buffer;
};
const read = ({ file, calendar = "XNYS", answers = {} }: Export): Understanding =>
  understand(decodeFile(bytesOf(file)).text, { maxRows: 25_000, calendar, answers });

const shown = ({ calendar = "XNYS" }: Export, { recognised, bars }: Understanding) =>
  bars.map(({ bar: { timestamp, open, high, low, close, volume } }) => {
    const key = new Date(barKey(recognised.resolution, calendar, timestamp)).toISOString();
    return [
      key.endsWith("T00:00:00.000Z") ? key.slice(0, 10) : key,
      open,
      high,
      low,
      close,
      volume,
    ];
  });

const isRequested = (becomes: Export["becomes"]): becomes is readonly string[] =>
  typeof becomes[0] === "string";

describe("an export of a real program is read, or all of its ambiguities are asked at once", () => {
  test.each(EXPORTS.map((one) => [one.name, one] as const))("%s", (_, one) => {
    const understood = read(one);
    expect(understood.problems).toEqual([]);
    expect(understood.refused).toEqual([]);
    expect(understood.recognised.form?.id ?? null).toBe(one.form);
    expect(understood.skippedTotal).toBe(one.skipped ?? 0);
    const { becomes } = one;
    if (isRequested(becomes)) {
      expect(understood.questions.map(({ parameter }) => parameter)).toEqual(becomes);
      expect(understood.bars).toEqual([]);
      for (const { choices, otherwise } of understood.questions) {
        expect(choices.length > 0 || otherwise !== null).toBe(true);
      }
      return;
    }
    expect(understood.questions.map(requestedIn)).toEqual([]);
    expect(shown(one, understood).slice(0, becomes.length)).toEqual(becomes);
  });

  test("every choice that is offered answers its question", () => {
    for (const one of EXPORTS.filter(({ becomes }) => isRequested(becomes))) {
      const { questions } = read(one);
      for (const { parameter, choices } of questions.filter(
        (asked) => asked.parameter !== "columns",
      )) {
        for (const { value } of choices) {
          const again = read({ ...one, answers: { ...one.answers, [parameter]: value } });
          expect(
            again.questions.map((asked) => asked.parameter),
            `${one.name}: ${parameter}=${value}`,
          ).not.toContain(parameter);
        }
      }
    }
  });
});

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");

const became = (one: Export): string => {
  const { questions, skippedTotal, bars } = read(one);
  if (questions.length > 0) return `asked: ${questions.map(requestedIn).join("; ")}`;
  const [first] = shown(one, read(one));
  const passed = skippedTotal === 0 ? "" : `, ${skippedTotal} line(s) skipped`;
  return `${bars.length} bar(s)${passed}; the first ${first?.map((value) => String(value ?? "–")).join(" ")}`;
};

const said = ({ answers = {}, calendar = "XNYS" }: Export): string =>
  [calendar, ...Object.entries(answers).map(([name, value]) => `${name}=${value}`)].join(" ");

test("docs/imports.md shows the result of each export", async () => {
  const rows = EXPORTS.map((one) => {
    const known = read(one).recognised.form?.name ?? "–";
    return `| ${[one.name, said(one), known, became(one)].map(cell).join(" | ")} |`;
  });
  await expect(
    [
      "# Files that can be imported",
      "",
      "The result of each kind of file in `POST /api/v1/assets/{symbol}/bars`; `POST …/bars/preview` shows it for yours. This table is",
      "written by `npm test -- --project domain test/domain/import/exports.test.ts -u` from the files in `test/domain/import/exports.ts`, and",
      "the test fails when it is no longer true. A bar is its key, open, high, low, close and volume; – is unknown.",
      "",
      "| file | calendar and query | recognised as | becomes |",
      "|---|---|---|---|",
      ...rows,
      "",
    ].join("\n"),
  ).toMatchFileSnapshot("../../../docs/imports.md");
});
