import { describe, expect, it } from "vitest";
import { sessionDateOf, sessionsBetween } from "../../../src/domain/market/calendar.ts";
import { knownSessions } from "./known-sessions.ts";
import { type PublishedYear, XLON_YEARS, XMAD_YEARS, XNYS_YEARS } from "./published-days.ts";

const DAY = 86_400_000;
const HOUR = 3_600_000;

/**
 * The nth Sunday of a month (the last, counted from its end, for 0), as midnight UTC: written down
 * without Intl.
 */
const sunday = (year: number, month: number, nth: number): number => {
  if (nth === 0) {
    const last = Date.UTC(year, month, 0);
    return last - new Date(last).getUTCDay() * DAY;
  }
  const first = Date.UTC(year, month - 1, 1);
  return first + ((7 - new Date(first).getUTCDay()) % 7) * DAY + (nth - 1) * 7 * DAY;
};

/** Hours by which a clock is ahead of UTC during the trading day of this date. */
type Ahead = (day: number, year: number) => number;
/** Energy Policy Act of 2005: from the second Sunday in March to the first in November. */
const newYork: Ahead = (day, year) =>
  day >= sunday(year, 3, 2) && day < sunday(year, 11, 1) ? -4 : -5;
/** Directive 2000/84/EC: from the last Sunday in March to the last in October. */
const european =
  (winter: number): Ahead =>
  (day, year) =>
    day >= sunday(year, 3, 0) && day < sunday(year, 10, 0) ? winter + 1 : winter;

interface Exchange {
  readonly years: readonly PublishedYear[];
  readonly ahead: Ahead;
  /** Hours of the local day. */
  readonly opens: number;
  readonly closes: number;
  readonly closesEarly: number;
}

const EXCHANGES = {
  XNYS: { years: XNYS_YEARS, ahead: newYork, opens: 9.5, closes: 16, closesEarly: 13 },
  XLON: { years: XLON_YEARS, ahead: european(0), opens: 8, closes: 16.5, closesEarly: 12.5 },
  XMAD: { years: XMAD_YEARS, ahead: european(1), opens: 9, closes: 17.5, closesEarly: 14 },
} as const satisfies Readonly<Record<string, Exchange>>;

/** The lists' entry for one day, null for none. */
const expected = ({ years, ahead, opens, closes, closesEarly }: Exchange, day: number) => {
  const date = new Date(day).toISOString().slice(0, 10);
  const year = Number(date.slice(0, 4));
  const [, closed = "", short = ""] = years.find(([one]) => one === year) ?? [];
  const weekday = new Date(day).getUTCDay();
  if (weekday === 0 || weekday === 6 || closed.split(" ").includes(date.slice(5))) return null;
  const early = short.split(" ").includes(date.slice(5));
  const offset = ahead(day, year);
  const open = day + (opens - offset) * HOUR;
  return { date, open, close: day + ((early ? closesEarly : closes) - offset) * HOUR, early };
};

const DAYS = Array.from(
  { length: (Date.UTC(2028, 0, 1) - Date.UTC(2020, 0, 1)) / DAY },
  (_, index) => Date.UTC(2020, 0, 1) + index * DAY,
);

describe.each(["XNYS", "XLON", "XMAD"] as const)("%s from 2020 to 2027", (calendar) => {
  const exchange = EXCHANGES[calendar];

  it("has on each of 2,922 days the session of the published list, to the minute, or none", () => {
    expect(DAYS).toHaveLength(2_922);
    for (const day of DAYS) {
      const date = new Date(day).toISOString().slice(0, 10);
      const session = expected(exchange, day);
      // Requested alone, so that no neighbour can hide an error.
      expect([date, knownSessions(calendar, date, date)]).toEqual([
        date,
        session === null ? [] : [session],
      ]);
      if (session !== null) expect(sessionDateOf(calendar, session.open)).toBe(date);
    }
  });

  it("has all of them at once, in order, as many a year as published", () => {
    const answer = sessionsBetween(calendar, "2020-01-01", "2027-12-31");
    expect(answer.kind === "sessions" && answer.sessions).toEqual(
      DAYS.flatMap((day) => expected(exchange, day) ?? []),
    );
    for (const [year, , , count] of exchange.years)
      expect([year, knownSessions(calendar, `${year}-01-01`, `${year}-12-31`).length]).toEqual([
        year,
        count,
      ]);
  });
});

describe("an hour that clocks skip or repeat", () => {
  it("is known to the lists on both sides: the weeks in which New York and Europe differ", () => {
    // 2024: New York changes on 10 March and 3 November, Europe on 31 March and 27 October.
    const opensOn = (date: string) =>
      (["XNYS", "XLON", "XMAD"] as const).map((calendar) =>
        new Date(knownSessions(calendar, date, date)[0]?.open ?? 0).toISOString().slice(11, 16),
      );
    expect(opensOn("2024-03-08")).toEqual(["14:30", "08:00", "08:00"]);
    expect(opensOn("2024-03-11")).toEqual(["13:30", "08:00", "08:00"]);
    expect(opensOn("2024-04-02")).toEqual(["13:30", "07:00", "07:00"]);
    expect(opensOn("2024-10-28")).toEqual(["13:30", "08:00", "08:00"]);
    expect(opensOn("2024-11-04")).toEqual(["14:30", "08:00", "08:00"]);
  });
});
