import { describe, expect, it } from "vitest";
import { knownSessions, shortDays, utc, weekdaysClosed } from "./known-sessions.ts";
import { type PublishedYear, XMAD_YEARS } from "./published-days.ts";

describe("Madrid", () => {
  it.each<PublishedYear>([
    [2012, "04-06 04-09 05-01 12-25 12-26", "12-24 12-31", 256],
    ...XMAD_YEARS,
  ])("%i has the holidays, never made up for, and the short days", (year, closed, short) => {
    expect(weekdaysClosed("XMAD", year).join(" ")).toBe(closed);
    expect(shortDays("XMAD", year).join(" ")).toBe(short);
  });

  it.each([
    // Assumption on a Sunday moved to Monday 16; 1 November 2004 was a Monday; both eves were
    // holidays until 2010.
    [2004, "01-01 01-06 04-09 04-12 08-16 10-12 11-01 12-06 12-08 12-24 12-31"],
    [2006, "01-06 04-14 04-17 05-01 12-25 12-26"],
    [2010, "01-01 04-02 04-05 12-24 12-31"],
  ])("%i still has the older holidays", (year, closed) => {
    expect(weekdaysClosed("XMAD", year).join(" ")).toBe(closed);
  });

  it("trades from 9:00 to 17:30, and to 14:00 on short days", () => {
    const [eve] = knownSessions("XMAD", "2024-12-24", "2024-12-24");
    const [july] = knownSessions("XMAD", "2024-07-01", "2024-07-01");
    expect(
      [eve, july].map((session) => session && [utc(session.open), utc(session.close)]),
    ).toEqual([
      ["2024-12-24 08:00", "2024-12-24 13:00"],
      ["2024-07-01 07:00", "2024-07-01 15:30"],
    ]);
  });
});
