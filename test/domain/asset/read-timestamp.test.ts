import { describe, expect, test } from "vitest";
import { readTimestamp } from "../../../src/domain/asset/read-timestamp.ts";

describe("a moment", () => {
  test.each([
    ["2020-02-29", "2020-02-29T00:00:00.000Z"],
    ["2000-02-29", "2000-02-29T00:00:00.000Z"],
    ["2024-03-01T14:30Z", "2024-03-01T14:30:00.000Z"],
    ["2024-03-01 14:30:15Z", "2024-03-01T14:30:15.000Z"],
    ["2024-03-01T14:30:15.5Z", "2024-03-01T14:30:15.500Z"],
    ["2024-03-01T14:30:15.007Z", "2024-03-01T14:30:15.007Z"],
    ["2024-03-01T09:30:00-05:00", "2024-03-01T14:30:00.000Z"],
    ["2024-03-01 00:00:00+00:00", "2024-03-01T00:00:00.000Z"],
    ["2024-03-01T00:15+05:45", "2024-02-29T18:30:00.000Z"],
    ["2024-01-01T00:00+14:00", "2023-12-31T10:00:00.000Z"],
    ["0050-01-01", "0050-01-01T00:00:00.000Z"],
  ])("%s", (text, iso) => {
    expect(readTimestamp(text)).toEqual({ kind: "instant", instant: Date.parse(iso) });
  });
});

describe("not a moment", () => {
  test.each([
    ["", "is empty"],
    ["2021-02-30", "is not in the calendar"],
    ["2021-02-29", "is not in the calendar"],
    ["1900-02-29", "is not in the calendar"],
    ["2021-13-01", "is not in the calendar"],
    ["2021-00-10", "is not in the calendar"],
    ["2021-01-00", "is not in the calendar"],
    ["2021-02-30T10:00Z", "is not in the calendar"],
    ["2021-01-01T24:00Z", "is not a time of day"],
    ["2021-01-01T10:60Z", "is not a time of day"],
    ["2021-01-01T10:00:60Z", "is not a time of day"],
    ["2021-01-01T10:00+14:01", "has an offset"],
    ["2021-01-01T10:00+01:60", "has an offset"],
    ["2021-01-01T10:00", "has no time zone"],
    ["2021-01-01 10:00:00", "has no time zone"],
    ["2021-01-01T10:00:00.123", "has no time zone"],
    ["2021-1-1", "is not a date"],
    ["Jan 1 2000", "is not a date"],
    ["2021-01-01Z", "is not a date"],
    ["2021-01-01T10:00:00 EST", "is not a date"],
    ["-2021-01-01", "is not a date"],
    ["yesterday", "is not a date"],
  ])("%s", (text, reason) => {
    expect(readTimestamp(text)).toMatchObject({
      kind: "invalid",
      reason: expect.stringContaining(reason),
    });
  });
});

describe("more than one moment", () => {
  test.each([
    "1/2/2020",
    "01/02/20",
    "31/12/2020",
    "2020/01/02",
    "1/2/2020 9:30",
    "1.2.2020",
    "01-02-2020",
    "1-2-20",
    "20200102",
    "1577923200000",
    "43832.5",
    "-86400",
    "1.5e9",
  ])("%s", (text) => {
    expect(readTimestamp(text)).toMatchObject({
      kind: "ambiguous",
      reason: expect.stringContaining("use YYYY-MM-DD"),
    });
  });
});
