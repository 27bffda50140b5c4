import { describe, expect, it } from "vitest";
import { knownSessions, shortDays, utc, weekdaysClosed } from "./known-sessions.ts";
import { XNYS_YEARS } from "./published-days.ts";

describe("New York", () => {
  it.each(XNYS_YEARS)(
    "%i has the published holidays, short days and sessions",
    (year, closed, short, sessions) => {
      expect(weekdaysClosed("XNYS", year).join(" ")).toBe(closed);
      expect(shortDays("XNYS", year).join(" ")).toBe(short);
      expect(knownSessions("XNYS", `${year}-01-01`, `${year}-12-31`)).toHaveLength(sessions);
    },
  );

  it("observes Martin Luther King from 1998 and Juneteenth from 2022", () => {
    expect(weekdaysClosed("XNYS", 1997)).not.toContain("01-20");
    expect(weekdaysClosed("XNYS", 1998)).toContain("01-19");
    expect(weekdaysClosed("XNYS", 2020)).not.toContain("06-19");
  });

  it("closes for the days that no rule foretells", () => {
    expect(weekdaysClosed("XNYS", 1994)).toContain("04-27");
    expect(weekdaysClosed("XNYS", 2001)).toEqual(
      expect.arrayContaining(["09-11", "09-12", "09-13", "09-14"]),
    );
    expect(weekdaysClosed("XNYS", 2012)).toEqual(expect.arrayContaining(["10-29", "10-30"]));
    expect(weekdaysClosed("XNYS", 2018)).toContain("12-05");
  });

  it.each([
    [1990, "12-24"],
    [1991, "12-24"],
    [1992, "11-27 12-24"],
    [1995, "07-03 11-24"],
    [1996, "07-05 11-29 12-24"],
    [1997, "07-03 11-28 12-24 12-26"],
    [1999, "11-26 12-31"],
    [2002, "07-05 11-29 12-24"],
    [2003, "07-03 11-28 12-24 12-26"],
    [2013, "07-03 11-29 12-24"],
    [2019, "07-03 11-29 12-24"],
  ])("%i ends early on %s", (year, short) => {
    expect(shortDays("XNYS", year).join(" ")).toBe(short);
  });

  it("ends its short days at 13:00, and until 1992 at 14:00", () => {
    const closes = [
      ...knownSessions("XNYS", "1992-11-27", "1992-11-27"),
      ...knownSessions("XNYS", "1993-11-26", "1993-11-26"),
      ...knownSessions("XNYS", "2024-07-03", "2024-07-05"),
    ].map(({ close }) => utc(close));
    expect(closes).toEqual([
      "1992-11-27 19:00",
      "1993-11-26 18:00",
      "2024-07-03 17:00",
      "2024-07-05 20:00",
    ]);
  });
});
