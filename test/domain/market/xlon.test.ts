import { describe, expect, it } from "vitest";
import { knownSessions, shortDays, utc, weekdaysClosed } from "./known-sessions.ts";
import { XLON_YEARS } from "./published-days.ts";

describe("London", () => {
  it.each(XLON_YEARS)("%i has the bank holidays and the short days", (year, closed, short) => {
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
    expect(
      [eve, july].map((session) => session && [utc(session.open), utc(session.close)]),
    ).toEqual([
      ["2024-12-24 08:00", "2024-12-24 12:30"],
      ["2024-07-01 07:00", "2024-07-01 15:30"],
    ]);
  });
});
