import { describe, expect, test } from "vitest";
import { readCsvBars } from "../../../src/domain/asset/read-bars.ts";

const HEADER = "timestamp,open,high,low,close,volume";
const read = (...lines: string[]) => readCsvBars(lines.join("\n"), { maxRows: 1000 });
const file = (...rows: string[]) => read(HEADER, ...rows);

const onlyBar = (row: string) => {
  const reading = file(row);
  if (!reading.ok) throw new Error(JSON.stringify(reading));
  return reading.bars[0]?.bar;
};
const rowErrors = (...rows: string[]) => {
  const reading = file(...rows);
  return reading.ok || reading.kind === "file" ? reading : reading.errors;
};
const fileErrors = (...lines: string[]) => {
  const reading = read(...lines);
  return reading.ok || reading.kind === "rows" ? reading : reading.errors;
};

describe("a file as people have it", () => {
  const expected = [
    { row: 1, line: 2, bar: bar("2020-01-03", 2, 3, 1, 2.5, 20) },
    { row: 2, line: 3, bar: bar("2020-01-02", 1, 2, 0.5, 1.5, 10) },
  ];

  test.each([
    ["plain", `${HEADER}\n2020-01-03,2,3,1,2.5,20\n2020-01-02,1,2,0.5,1.5,10`],
    [
      "byte order mark and CRLF",
      `\ufeff${HEADER}\r\n2020-01-03,2,3,1,2.5,20\r\n2020-01-02,1,2,0.5,1.5,10\r\n`,
    ],
    ["old Mac line ends", `${HEADER}\r2020-01-03,2,3,1,2.5,20\r2020-01-02,1,2,0.5,1.5,10\r`],
    ["mixed line ends", `${HEADER}\r\n2020-01-03,2,3,1,2.5,20\n2020-01-02,1,2,0.5,1.5,10\r`],
    [
      "quoted",
      `"timestamp","open","high","low","close","volume"\n"2020-01-03","2","3","1","2.5","20"\n2020-01-02,1,2,0.5,1.5,"10"`,
    ],
    [
      "semicolons",
      `${HEADER}\n2020-01-03,2,3,1,2.5,20\n2020-01-02,1,2,0.5,1.5,10`.replaceAll(",", ";"),
    ],
    ["tabs", `${HEADER}\n2020-01-03,2,3,1,2.5,20\n2020-01-02,1,2,0.5,1.5,10`.replaceAll(",", "\t")],
    [
      "any case, order and spaces",
      ` Volume ,CLOSE,low, High,Open,Date\n20, 2.5 ,1,3,2, 2020-01-03\n10,1.5,0.5,2,1,2020-01-02`,
    ],
    ["extra columns", `${HEADER},Adj Close\n2020-01-03,2,3,1,2.5,20,x\n2020-01-02,1,2,0.5,1.5,10,`],
    [
      "blank lines at the end",
      `${HEADER}\n2020-01-03,2,3,1,2.5,20\n2020-01-02,1,2,0.5,1.5,10\n\n  \n,,,,,\n`,
    ],
    [
      "empty fields beyond the header",
      `${HEADER}\n2020-01-03,2,3,1,2.5,20,\n2020-01-02,1,2,0.5,1.5,10,,`,
    ],
  ])("reads %s", (_, text) => {
    expect(readCsvBars(text, { maxRows: 2 })).toEqual({ ok: true, bars: expected });
  });

  test.each(["date", "time", "datetime", "DateTime"])("takes %s for the timestamp", (name) => {
    expect(read(HEADER.replace("timestamp", name), "2020-01-02,1,2,0.5,1.5,10").ok).toBe(true);
  });

  test("prefers the timestamp to its aliases", () => {
    const reading = read(`date,time,${HEADER}`, "junk,junk,2020-01-02,1,2,0.5,1.5,10");
    expect(reading.ok && reading.bars[0]?.bar.timestamp).toBe(Date.UTC(2020, 0, 2));
  });

  test("counts lines as a spreadsheet does, over blank lines and line breaks inside quotes", () => {
    const reading = read(
      `\n${HEADER},note`,
      '2020-01-02,1,2,1,1,1,"a\nb\nc"',
      "",
      "2020-01-03,1,2,1,x,1,",
    );
    expect(reading).toMatchObject({
      ok: false,
      total: 1,
      errors: [{ row: 2, line: 7, field: "close", value: "x" }],
    });
  });
});

describe("a file that cannot be trusted", () => {
  test.each([
    ["nothing", [""], "empty"],
    ["blank lines only", ["", " ", ",,"], "empty"],
    ["a header alone", [HEADER, ""], "no rows"],
    [
      "unbalanced quotes",
      [HEADER, '2020-01-02,1,2,1,1,"1', "2020-01-03,1,1,1,1,1"],
      "starts on line 2",
    ],
    [
      "text after a quoted field",
      [HEADER, "2020-01-02,1,2,1,1,1", '2020-01-03,1,1,1,1,"1"x'],
      "starts on line 3",
    ],
    [
      "a column twice",
      [`${HEADER},Close`, "2020-01-02,1,2,1,1,1,9"],
      '"close" appears more than once',
    ],
    [
      "date and time of day apart",
      ["date,time,open,high,low,close,volume", "2020-01-02,09:30,1,2,1,1,1"],
      "has no time zone",
    ],
    ["the month first", [HEADER, "2020-01-02,1,2,1,1,1", "1/2/2020,1,2,1,1,1"], "row 2 (line 3)"],
    ["a month first with a time", [HEADER, "1/2/2020 10:00,1,2,1,1,1"], "use YYYY-MM-DD"],
    ["the day first with dots", [HEADER, "02.01.2020,1,2,1,1,1"], "use YYYY-MM-DD"],
    ["the day first with hyphens", [HEADER, "02-01-2020,1,2,1,1,1"], "use YYYY-MM-DD"],
    ["seconds since 1970", [HEADER, "1577923200,1,2,1,1,1"], "use YYYY-MM-DD"],
    ["a spreadsheet's day number", [HEADER, "43832.5,1,2,1,1,1"], "use YYYY-MM-DD"],
    [
      "a page of HTML",
      ["<!doctype html><title>Are you human?</title>", "<p>"],
      '"close" is missing',
    ],
  ])("is refused: %s", (_, lines, reason) => {
    expect(String(fileErrors(...lines))).toContain(reason);
  });

  test.each(HEADER.split(","))("is refused without the column %s, which it names", (name) => {
    const header = HEADER.replace(name, "other");
    expect(String(fileErrors(header, "2020-01-02,1,2,1,1,1"))).toContain(`"${name}" is missing`);
  });

  test("is refused with one row more than the limit, and taken with the limit", () => {
    const text = `${HEADER}\n2020-01-02,1,2,1,1,1\n2020-01-03,1,2,1,1,1\n2020-01-04,1,2,1,1,1`;
    expect(readCsvBars(text, { maxRows: 2 })).toMatchObject({ ok: false, kind: "file" });
    expect(readCsvBars(text, { maxRows: 3 })).toMatchObject({ ok: true });
  });
});

describe("a refused row", () => {
  test("names row, line, field, value and reason", () => {
    expect(rowErrors("2020-01-02,1,2,1,1,1", "2020-01-03,1,2,1,1 234,1")).toEqual([
      { row: 2, line: 3, field: "close", value: "1 234", reason: "is not a plain decimal number" },
    ]);
  });

  test("reports every field that is wrong", () => {
    expect(rowErrors("2021-02-30,a,2,1,b,c")).toMatchObject(
      ["timestamp", "open", "close", "volume"].map((field) => ({ row: 1, field })),
    );
  });

  test.each([
    ["2020-01-02,1,2,1,1", "has 5 fields where the header has 6"],
    ["2020-01-02,1,234.50,2,1,1,1", "has 7 fields where the header has 6"],
  ])("has lost or gained a field: %s", (row, reason) => {
    expect(rowErrors(row)).toMatchObject([{ field: "row", value: row, reason }]);
  });

  test.each([
    ["2020-01-02,,2,1,1,1", "open"],
    ["2020-01-02,1,,1,1,1", "high"],
    ["2020-01-02,,,1,1,1", "open"],
    ["2020-01-02,1,2,,1,1", "low"],
  ])("has half a range: %s", (row, field) => {
    expect(rowErrors(row)).toMatchObject([{ field, value: "" }]);
  });

  test("counts once, however many of its fields are wrong", () => {
    expect(file("2021-02-30,a,2,1,b,c", "2020-01-02,1,2,1,x,y")).toMatchObject({ total: 2 });
  });

  test("shows at most 40 characters of a value, and never half of one", () => {
    const errors = rowErrors(`2020-01-02,1,2,1,${"x".repeat(38)}😀${"y".repeat(50)},1`);
    const value = Array.isArray(errors) ? (errors[0]?.value ?? "") : "";
    expect(value).toHaveLength(40);
    expect(value.isWellFormed()).toBe(true);
  });

  test("is one of at most a hundred that are listed, while all are counted", () => {
    const reading = file(...Array.from({ length: 250 }, () => "2020-01-02,1,2,1,x,1"));
    expect(reading).toMatchObject({ ok: false, kind: "rows", total: 250 });
    expect(reading.ok ? [] : reading.errors).toHaveLength(100);
  });
});

describe("the content of a field", () => {
  test("empty prices before the close make a close-only bar; an empty volume is not known", () => {
    expect(onlyBar("2020-01-02,,, ,1.5,")).toEqual(bar("2020-01-02", null, null, null, 1.5, null));
  });

  test.each([
    ["6.80E-05", 0.000068],
    ["+1.5", 1.5],
    [".5", 0.5],
    ["1e15", 1e15],
    ["-3", -3],
    ["1e-400", 0],
    ['"1,234.50"', 1234.5],
    ['"1,5"', 1.5],
    ["$5", 5],
    ["5€", 5],
  ])("a close of %s", (text, close) => {
    expect(onlyBar(`2020-01-02,,,,${text},`)?.close).toBe(close);
  });

  test("a volume of minus zero is zero", () => {
    expect(onlyBar("2020-01-02,,,,1,-0")?.volume).toBe(0);
  });

  test.each([
    ["", "is empty"],
    ["NaN", "plain decimal"],
    ["Infinity", "plain decimal"],
    ["-Infinity", "plain decimal"],
    ["0x10", "plain decimal"],
    ["1_000", "plain decimal"],
    ["1 000", "plain decimal"],
    ["1.2.3", "plain decimal"],
    ["--1", "plain decimal"],
    ["e5", "plain decimal"],
    [".", "plain decimal"],
    ["null", "plain decimal"],
    ["5%", "plain decimal"],
    ["12M", "plain decimal"],
    ['"12,34.5"', "comma"],
    ["$", "currency"],
    [`${"1".repeat(65)}`, "longer than 64"],
    ["١٢", "plain decimal"],
    ["1.000001e15", "beyond 1e+15"],
    ["-1.000001e15", "beyond 1e+15"],
    ["1e999", "beyond 1e+15"],
  ])("a close is never %s", (text, reason) => {
    expect(rowErrors(`2020-01-02,,,,${text},`)).toMatchObject([
      { field: "close", reason: expect.stringContaining(reason) },
    ]);
  });

  test("a volume reaches 1e18 and not further", () => {
    expect(onlyBar("2020-01-02,,,,1,1e18")?.volume).toBe(1e18);
    expect(rowErrors("2020-01-02,,,,1,1.000001e18")).toMatchObject([{ field: "volume" }]);
  });
});

function bar(
  date: string,
  open: number | null,
  high: number | null,
  low: number | null,
  close: number,
  volume: number | null,
) {
  return { timestamp: Date.parse(date), open, high, low, close, volume };
}
