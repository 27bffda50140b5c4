import { describe, expect, it } from "vitest";
import { knownSessions, shortDays, utc, weekdaysClosed } from "./known-sessions.ts";

// gov.uk/bank-holidays, England and Wales; 2026 and 2027 as announced. Short days by the exchange's rule.
const YEARS = [
  [2020, "01-01 04-10 04-13 05-08 05-25 08-31 12-25 12-28", "12-24 12-31"],
  [2021, "01-01 04-02 04-05 05-03 05-31 08-30 12-27 12-28", "12-24 12-31"],
  [2022, "01-03 04-15 04-18 05-02 06-02 06-03 08-29 09-19 12-26 12-27", "12-23 12-30"],
  [2023, "01-02 04-07 04-10 05-01 05-08 05-29 08-28 12-25 12-26", "12-22 12-29"],
  [2024, "01-01 03-29 04-01 05-06 05-27 08-26 12-25 12-26", "12-24 12-31"],
  [2025, "01-01 04-18 04-21 05-05 05-26 08-25 12-25 12-26", "12-24 12-31"],
  [2026, "01-01 04-03 04-06 05-04 05-25 08-31 12-25 12-28", "12-24 12-31"],
  [2027, "01-01 03-26 03-29 05-03 05-31 08-30 12-27 12-28", "12-24 12-31"],
] as const;

describe("London", () => {
  it.each(YEARS)("%i has the bank holidays and the short days", (year, closed, short) => {
    expect(weekdaysClosed("XLON", year).join(" ")).toBe(closed);
    expect(shortDays("XLON", year).join(" ")).toBe(short);
  });

  it.each([
    [1995, "05-08", "05-01"],
    [2002, "06-03 06-04", "05-27"],
    [2011, "04-29", ""],
    [2012, "06-04 06-05", "05-28"],
  ])("%i closes on %s and trades on %s", (year, closed, traded) => {
    const days = weekdaysClosed("XLON", year);
    expect(days).toEqual(expect.arrayContaining(closed.split(" ")));
    expect(days).not.toContain(traded);
  });

  it("takes the eve of the millennium off instead of cutting it short", () => {
    expect(weekdaysClosed("XLON", 1999)).toContain("12-31");
    expect(shortDays("XLON", 1999)).toEqual(["12-24"]);
  });

  it("trades from 8:00 to 16:30, and to 12:30 on short days", () => {
    const [eve] = knownSessions("XLON", "2024-12-24", "2024-12-24");
    const [july] = knownSessions("XLON", "2024-07-01", "2024-07-01");
    expect([eve, july].map((session) => session && [utc(session.open), utc(session.close)])).toEqual([
      ["2024-12-24 08:00", "2024-12-24 12:30"],
      ["2024-07-01 07:00", "2024-07-01 15:30"],
    ]);
  });
});
