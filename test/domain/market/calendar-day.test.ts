import { describe, expect, it } from "vitest";
import {
  dayOf,
  daysOf,
  easterSunday,
  isoDateOf,
  lastWeekday,
  MONDAY,
  nthWeekday,
  parseIsoDate,
  SUNDAY,
  THURSDAY,
  weekdayOf,
} from "../../../src/domain/market/calendar-day.ts";

describe("calendar days", () => {
  it("knows the weekday on both sides of 1970", () => {
    expect(weekdayOf(dayOf(1970, 1, 1))).toBe(THURSDAY);
    expect(weekdayOf(dayOf(1969, 12, 28))).toBe(SUNDAY);
    expect(weekdayOf(dayOf(2024, 3, 11))).toBe(MONDAY);
  });

  it("finds the n-th and the last weekday of a month", () => {
    expect(isoDateOf(nthWeekday(2024, 1, MONDAY, 1))).toBe("2024-01-01");
    expect(isoDateOf(nthWeekday(2023, 11, THURSDAY, 4))).toBe("2023-11-23");
    expect(isoDateOf(lastWeekday(2021, 5, MONDAY))).toBe("2021-05-31");
    expect(isoDateOf(lastWeekday(2024, 12, MONDAY))).toBe("2024-12-30");
  });

  // Dates from the table of the US Naval Observatory; 1954, 1981, 2049 and 2076 are where the
  // algorithm corrects itself.
  it.each([
    "1954-04-18",
    "1981-04-19",
    "1990-04-15",
    "2000-04-23",
    "2008-03-23",
    "2011-04-24",
    "2024-03-31",
    "2038-04-25",
    "2049-04-18",
    "2076-04-19",
  ])("Easter falls on %s", (date) => {
    expect(isoDateOf(easterSunday(Number(date.slice(0, 4))))).toBe(date);
  });

  it.each([
    "2023-02-29",
    "2023-13-01",
    "2023-00-10",
    "0050-01-01",
    "2023-1-1",
    "20230101",
    "2023-01-01T00:00Z",
    "",
  ])("does not read %j as a date", (text) => {
    expect(parseIsoDate(text)).toBeNull();
  });

  it("throws at a rule table with a date that does not exist", () => {
    expect(() => daysOf(["2023-02-30"])).toThrow("2023-02-30");
  });
});
