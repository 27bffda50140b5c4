import { describe, expect, test } from "vitest";
import { type JsonBar, readJsonBars } from "../../../src/domain/asset/read-bars.ts";
import { requestedIn } from "../../../src/domain/import/question.ts";
import { understand } from "../../../src/domain/import/understand.ts";

const whole: JsonBar = {
  timestamp: "2020-01-02",
  open: 1,
  high: 2,
  low: 0.5,
  close: 1.5,
  volume: 10,
};

describe("bars that came as JSON", () => {
  test("are read in their order; absent and null values are not known", () => {
    const closeOnly = { timestamp: "2020-01-01T10:00Z", close: 3, open: null };
    expect(readJsonBars([whole, closeOnly])).toEqual({
      ok: true,
      bars: [
        { row: 1, line: null, bar: { ...whole, timestamp: Date.UTC(2020, 0, 2) } },
        {
          row: 2,
          line: null,
          bar: {
            timestamp: Date.UTC(2020, 0, 1, 10),
            open: null,
            high: null,
            low: null,
            close: 3,
            volume: null,
          },
        },
      ],
    });
  });

  test("are refused when there are none", () => {
    expect(readJsonBars([])).toMatchObject({ ok: false, kind: "file" });
  });

  test("are refused as a whole when a date has two readings", () => {
    const reading = readJsonBars([whole, { ...whole, timestamp: "1/2/2020" }]);
    expect(reading).toMatchObject({
      ok: false,
      kind: "file",
      errors: [expect.stringContaining("row 2: ")],
    });
  });

  test.each([
    ["timestamp", "2020-01-02T10:00", "has no time zone"],
    ["close", Number.NaN, "is not a number"],
    ["close", Number.POSITIVE_INFINITY, "is beyond 1e+15"],
    ["open", 1.1e15, "is beyond 1e+15"],
    ["high", Number.NEGATIVE_INFINITY, "is beyond 1e+15"],
    ["low", null, "is empty"],
    ["volume", 1.1e18, "is beyond 1e+18"],
  ])("are refused by row when %s is %s", (field, value, reason) => {
    expect(readJsonBars([whole, { ...whole, [field]: value }])).toMatchObject({
      ok: false,
      kind: "rows",
      total: 1,
      errors: [
        {
          row: 2,
          line: null,
          field,
          value: String(value ?? ""),
          reason: expect.stringContaining(reason),
        },
      ],
    });
  });
});

describe("a daily instant in JSON", () => {
  const evening = [
    { timestamp: "2023-01-09T23:00:00Z", close: 10 },
    { timestamp: "2023-01-10T23:00:00Z", close: 11 },
  ];
  const daysOf = (reading: ReturnType<typeof readJsonBars>) =>
    reading.ok ? reading.bars.map(({ bar }) => new Date(bar.timestamp).toISOString()) : reading;

  test.each(["1d", "1w", "1mo"] as const)(
    "of the evening after the session is asked about for %s, with the same words as in CSV",
    (resolution) => {
      const csv = `timestamp,close\n${evening.map(({ timestamp, close }) => `${timestamp},${close}`).join("\n")}\n`;
      const asked = understand(csv, {
        maxRows: 10,
        calendar: "XNYS",
        answers: { resolution },
      }).questions;
      const reading = readJsonBars(evening, { resolution, calendar: "XNYS" });
      if (reading.ok || reading.kind !== "file")
        throw new Error("the evening was dated in silence");
      expect(reading.errors.map((reason) => reason.replace(/ \(line \d+\)/, ""))).toEqual(
        asked.map((question) => requestedIn(question).replace(/ \(line \d+\)/, "")),
      );
      expect(reading.errors[0]).toMatch(/row 1.*evening in America\/New_York.*timeZone=/);
    },
  );

  test("belongs to the day that the named clock shows", () => {
    const rules = { resolution: "1d", calendar: "XNYS" } as const;
    expect(daysOf(readJsonBars(evening, { ...rules, timeZone: "Europe/Berlin" }))).toEqual([
      "2023-01-10T00:00:00.000Z",
      "2023-01-11T00:00:00.000Z",
    ]);
    expect(daysOf(readJsonBars(evening, { ...rules, timeZone: "America/New_York" }))).toEqual([
      "2023-01-09T00:00:00.000Z",
      "2023-01-10T00:00:00.000Z",
    ]);
  });

  test.each([
    ["2023-03-06T00:00:00+01:00", "2023-03-06T00:00:00.000Z"],
    ["2023-03-06 00:00+09:00", "2023-03-06T00:00:00.000Z"],
    ["2023-03-06", "2023-03-06T00:00:00.000Z"],
    ["2023-03-06T14:30:00Z", "2023-03-06T14:30:00.000Z"],
    ["2023-03-06T14:30:00.5Z", "2023-03-06T14:30:00.500Z"],
  ])("%s needs no question", (timestamp, stored) => {
    const rules = { resolution: "1d", calendar: "XNYS" } as const;
    expect(daysOf(readJsonBars([{ timestamp, close: 1 }], rules))).toEqual([stored]);
  });

  test("has no evening where a market never closes, nor in shorter bars", () => {
    for (const rules of [
      { resolution: "1d", calendar: "CRYPTO" },
      { resolution: "1d", calendar: "FX" },
      { resolution: "1h", calendar: "XMAD" },
    ] as const)
      expect(daysOf(readJsonBars(evening, rules))).toEqual([
        "2023-01-09T23:00:00.000Z",
        "2023-01-10T23:00:00.000Z",
      ]);
  });
});
