import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  lastClosedSession,
  lastSession,
  nextSession,
  nextSessionClose,
  sessionDateOf,
  sessionOf,
  sessionsBetween,
} from "../../../src/domain/market/calendar.ts";
import { CALENDAR_IDS, isCalendarId } from "../../../src/domain/market/calendar-id.ts";
import { knownSessions, utc } from "./known-sessions.ts";

const DAY = 86_400_000;
const calendarId = fc.constantFrom(...CALENDAR_IDS);
const instant = fc.integer({ min: Date.UTC(1990, 0, 20), max: Date.UTC(2050, 0, 1) });
const day = fc.integer({ min: Date.UTC(1990, 0, 1) / DAY, max: Date.UTC(2050, 0, 1) / DAY });
const isoDay = (days: number): string => new Date(days * DAY).toISOString().slice(0, 10);

describe("sessionsBetween", () => {
  it("moves each market's close with its own summer time, when America's and Europe's differ", () => {
    const closes = (["XNYS", "XLON", "XMAD", "FX"] as const).map((id) =>
      [
        "2024-03-08",
        "2024-03-11",
        "2024-03-28",
        "2024-04-02",
        "2024-10-25",
        "2024-10-28",
        "2024-11-01",
        "2024-11-04",
      ]
        .map((date) =>
          knownSessions(id, date, date)
            .map(({ close }) => utc(close).slice(11))
            .join(),
        )
        .join(" "),
    );
    expect(closes).toEqual([
      "21:00 20:00 20:00 20:00 20:00 20:00 20:00 21:00",
      "16:30 16:30 16:30 15:30 15:30 16:30 16:30 16:30",
      "16:30 16:30 16:30 15:30 15:30 16:30 16:30 16:30",
      "22:00 21:00 21:00 21:00 21:00 21:00 21:00 22:00",
    ]);
  });

  it("opens the FX week on the evening of the very Sunday on which the clocks change", () => {
    const opens = ["2024-03-11", "2024-11-04"].map((date) =>
      knownSessions("FX", date, date)
        .map(({ open }) => utc(open))
        .join(),
    );
    expect(opens).toEqual(["2024-03-10 21:00", "2024-11-03 22:00"]);
  });

  it.each([
    ["2024-2-01", "2024-03-01", '"2024-2-01" is not a date (YYYY-MM-DD)'],
    ["2024-02-01", "2023-02-29", '"2023-02-29" is not a date (YYYY-MM-DD)'],
    ["2024-02-02", "2024-02-01", "2024-02-02 is after 2024-02-01"],
    ["1989-12-31", "1990-02-01", "trading calendars are known from 1990-01-01 on"],
    ["1990-01-01", "2051-01-01", "a span may be at most 60 years"],
  ])("refuses %s to %s with the reason", (from, to, reason) => {
    expect(sessionsBetween("XNYS", from, to)).toEqual({ kind: "refused", reason });
  });

  it("answers sixty years", () => {
    expect(knownSessions("CRYPTO", "1990-01-01", "2049-12-31")).toHaveLength(21_915);
  });

  it("makes twenty years of sessions well within 200 ms", () => {
    // The best of three, so that other load on the machine does not count.
    const took = [1, 2, 3].map(() => {
      const started = performance.now();
      expect(knownSessions("XNYS", "2000-01-01", "2019-12-31")).toHaveLength(5031);
      return performance.now() - started;
    });
    expect(Math.min(...took)).toBeLessThan(200);
  });

  it("gives ordered sessions that open before they close and never overlap", () => {
    fc.assert(
      fc.property(calendarId, day, fc.integer({ min: 0, max: 800 }), (id, from, length) => {
        const sessions = knownSessions(id, isoDay(from), isoDay(from + length));
        for (const [index, session] of sessions.entries()) {
          expect(session.open).toBeLessThan(session.close);
          const before = sessions[index - 1];
          if (before === undefined) continue;
          expect(before.date < session.date).toBe(true);
          expect(before.close).toBeLessThanOrEqual(session.open);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("gives the same sessions for a span and for its two parts", () => {
    fc.assert(
      fc.property(calendarId, day, fc.nat(200), fc.nat(200), (id, from, left, right) => {
        const whole = knownSessions(id, isoDay(from), isoDay(from + left + right + 1));
        const first = knownSessions(id, isoDay(from), isoDay(from + left));
        const second = knownSessions(id, isoDay(from + left + 1), isoDay(from + left + right + 1));
        expect([...first, ...second]).toEqual(whole);
      }),
      { numRuns: 60 },
    );
  });
});

describe("sessionDateOf", () => {
  it.each([
    ["XNYS", "2024-03-11T00:00:00Z", "2024-03-11"],
    ["XNYS", "2024-03-11T00:00:01Z", "2024-03-10"],
    ["XNYS", "2024-03-11T13:30:00Z", "2024-03-11"],
    ["XLON", "2024-07-01T23:30:00Z", "2024-07-02"],
    ["XMAD", "2024-01-01T23:30:00Z", "2024-01-02"],
    ["CRYPTO", "2024-07-01T23:59:59Z", "2024-07-01"],
    ["FX", "2024-03-10T20:59:59Z", "2024-03-10"],
    ["FX", "2024-03-10T21:00:00Z", "2024-03-11"],
    ["FX", "2024-01-15T21:59:59Z", "2024-01-15"],
    ["FX", "2024-01-15T22:00:00Z", "2024-01-16"],
    ["FX", "2024-06-30T23:00:00Z", "2024-07-01"],
  ] as const)("%s counts %s to %s", (id, text, date) => {
    expect(sessionDateOf(id, Date.parse(text))).toBe(date);
  });

  it("is the session's own date for every instant in it, but midnight UTC", () => {
    fc.assert(
      fc.property(calendarId, instant, (id, at) => {
        const session = nextSession(id, "close", at);
        const inside = Math.max(at, session?.open ?? at);
        if (inside % DAY !== 0) expect(sessionDateOf(id, inside)).toBe(session?.date);
      }),
    );
  });
});

describe("the sessions around an instant", () => {
  it("finds the session of a bar, and none on a holiday", () => {
    expect(sessionOf("XNYS", Date.parse("2024-07-03T13:30:00Z"))?.early).toBe(true);
    expect(sessionOf("XNYS", Date.parse("2024-07-04T13:30:00Z"))).toBeNull();
  });

  it("counts a session as closed from its close on, and the next close as after it", () => {
    const close = Date.parse("2024-03-08T21:00:00Z");
    expect(lastClosedSession("XNYS", close - 1)?.date).toBe("2024-03-07");
    expect(lastClosedSession("XNYS", close)?.date).toBe("2024-03-08");
    expect(nextSessionClose("XNYS", close - 1)).toBe(close);
    expect(nextSessionClose("XNYS", close)).toBe(Date.parse("2024-03-11T20:00:00Z"));
  });

  it("looks across the longest closure", () => {
    const during = Date.parse("2001-09-13T12:00:00Z");
    expect(lastClosedSession("XNYS", during)?.date).toBe("2001-09-10");
    expect(nextSession("XNYS", "open", during)?.date).toBe("2001-09-17");
  });

  it("starts with the first known session and ends with the last year", () => {
    expect(lastClosedSession("XNYS", Date.UTC(1990, 0, 2))).toBeNull();
    expect(nextSession("XNYS", "open", 0)?.date).toBe("1990-01-02");
    expect(nextSessionClose("XNYS", Date.UTC(9999, 11, 31, 23))).toBeNull();
    expect(lastClosedSession("CRYPTO", 8.64e15)?.date).toBe("9999-12-31");
  });

  it("leaves no session out between the last and the next", () => {
    fc.assert(
      fc.property(calendarId, fc.constantFrom("open", "close"), instant, (id, edge, at) => {
        const around = knownSessions(
          id,
          isoDay(Math.floor(at / DAY) - 12),
          isoDay(Math.floor(at / DAY) + 12),
        );
        expect(nextSession(id, edge, at)).toEqual(around.find((session) => session[edge] > at));
        expect(lastSession(id, edge, at)).toEqual(
          around.findLast((session) => session[edge] <= at),
        );
      }),
    );
  });
});

it("knows its calendars by name", () => {
  expect(["XNYS", "NYSE", ""].map(isCalendarId)).toEqual([true, false, false]);
});
