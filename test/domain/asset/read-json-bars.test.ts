import { describe, expect, test } from "vitest";
import { type JsonBar, readJsonBars } from "../../../src/domain/asset/read-bars.ts";

const whole: JsonBar = { timestamp: "2020-01-02", open: 1, high: 2, low: 0.5, close: 1.5, volume: 10 };

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
    expect(reading).toMatchObject({ ok: false, kind: "file", errors: [expect.stringContaining("row 2: ")] });
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
        { row: 2, line: null, field, value: String(value ?? ""), reason: expect.stringContaining(reason) },
      ],
    });
  });
});
