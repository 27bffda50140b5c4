import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { knownSessions, shortDays, utc, weekdaysClosed } from "./known-sessions.ts";

// The exchange's published list, as quant.md §4 gives it; sessions per year from exchange_calendars.
const YEARS = [
  [2020, "01-01 01-20 02-17 04-10 05-25 07-03 09-07 11-26 12-25", "11-27 12-24", 253],
  [2021, "01-01 01-18 02-15 04-02 05-31 07-05 09-06 11-25 12-24", "11-26", 252],
  [2022, "01-17 02-21 04-15 05-30 06-20 07-04 09-05 11-24 12-26", "11-25", 251],
  [2023, "01-02 01-16 02-20 04-07 05-29 06-19 07-04 09-04 11-23 12-25", "07-03 11-24", 250],
  [2024, "01-01 01-15 02-19 03-29 05-27 06-19 07-04 09-02 11-28 12-25", "07-03 11-29 12-24", 252],
  [2025, "01-01 01-09 01-20 02-17 04-18 05-26 06-19 07-04 09-01 11-27 12-25", "07-03 11-28 12-24", 250],
  [2026, "01-01 01-19 02-16 04-03 05-25 06-19 07-03 09-07 11-26 12-25", "11-27 12-24", 251],
  [2027, "01-01 01-18 02-15 03-26 05-31 06-18 07-05 09-06 11-25 12-24", "11-26", 251],
] as const;

describe("New York", () => {
  it.each(YEARS)(
    "%i has the published holidays, short days and sessions",
    (year, closed, short, sessions) => {
      expect(weekdaysClosed("XNYS", year).join(" ")).toBe(closed);
      expect(shortDays("XNYS", year).join(" ")).toBe(short);
      expect(knownSessions("XNYS", `${year}-01-01`, `${year}-12-31`)).toHaveLength(sessions);
    },
  );

  it("agrees with every trading date of the S&P 500 from 2000 to 2020", () => {
    const csv = new URL("../../../node_modules/vega-datasets/data/sp500-2000.csv", import.meta.url);
    const traded = readFileSync(csv, "utf8")
      .trim()
      .split("\n")
      .slice(1)
      .map((line) => line.slice(0, 10));
    expect(traded.length).toBeGreaterThan(5000);
    expect(knownSessions("XNYS", "2000-01-03", "2020-04-17").map(({ date }) => date)).toEqual(traded);
  });

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
    expect(closes).toEqual(["1992-11-27 19:00", "1993-11-26 18:00", "2024-07-03 17:00", "2024-07-05 20:00"]);
  });
});
