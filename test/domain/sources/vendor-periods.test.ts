import { describe, expect, test } from "vitest";
import { sessionsBetween } from "../../../src/domain/market/calendar.ts";
import type { CalendarId } from "../../../src/domain/market/calendar-id.ts";
import { RESOLUTIONS, type Resolution } from "../../../src/domain/market/resolution.ts";
import { isIntraday } from "../../../src/domain/market/session-slots.ts";
import type { HistoryRequest } from "../../../src/sources/price-source.ts";
import { type StampedBar, vendorBars } from "../../../src/sources/vendor-bars.ts";

const day = (date: string) => Date.parse(date);
const NOW = day("2026-11-30T21:17:00Z");
const ALL = { from: 0, to: NOW, next: null };

const request = (
  resolution: Resolution,
  changes: Partial<HistoryRequest> = {},
): HistoryRequest => ({
  symbol: "FONE",
  type: "STOCK",
  currency: "USD",
  calendar: "XNYS",
  resolution,
  from: 0,
  to: NOW,
  ...changes,
});

type Prices = readonly [number, number, number, number, number | null];
const row = (stamp: string, [open, high, low, close, volume]: Prices): StampedBar => ({
  timestamp: day(stamp),
  open,
  high,
  low,
  close,
  volume,
});

function read(rows: readonly StampedBar[], asking: HistoryRequest, now = NOW) {
  const answer = vendorBars(rows, asking, ALL, now);
  if (!answer.ok) throw new Error(answer.reason);
  return answer;
}

describe("two rows of the newest period", () => {
  const whole = row("2026-11-16T05:00:00Z", [55, 70, 40, 60, 20_000]);
  const rest = row("2026-11-16T05:00:00Z", [55, 65, 40, 58, 18_500]);
  const lastDay = row("2026-11-20T21:00:01Z", [59, 70, 58.5, 60, 1_500]);
  const before = row("2026-11-09T05:00:00Z", [53, 61, 52, 55, 9_000]);
  const week = {
    timestamp: day("2026-11-16"),
    open: 55,
    high: 70,
    low: 40,
    close: 60,
    volume: 20_000,
  };

  test.each<[string, readonly StampedBar[]]>([
    ["the period's own, and its last session with it", [before, whole, lastDay]],
    ["the period without its last session, and that session", [before, rest, lastDay]],
    ["newest first", [lastDay, rest, before]],
    ["alone in the answer", [rest, lastDay]],
  ])("are the week: %s", (_, rows) => {
    expect(read(rows, request("1w")).bars.at(-1)).toEqual(week);
  });

  test("are the month", () => {
    const own = row("2026-10-01T04:00:00Z", [55, 70, 40, 59, 20_000]);
    const last = row("2026-10-30T20:00:02Z", [59, 71, 58.5, 60, 1_500]);
    expect(read([own, last], request("1mo")).bars).toEqual([
      { timestamp: day("2026-10-01"), open: 55, high: 71, low: 40, close: 60, volume: 21_500 },
    ]);
  });

  test("are the week in which a year ends", () => {
    const own = row("2024-12-30T05:00:00Z", [10, 12, 9, 11, 100]);
    const last = row("2025-01-03T21:00:01Z", [11, 13, 10, 12, 20]);
    expect(read([own, last], request("1w")).bars).toEqual([
      { timestamp: day("2024-12-30"), open: 10, high: 13, low: 9, close: 12, volume: 120 },
    ]);
  });

  test("are the day, whose row is repeated", () => {
    const own = row("2026-11-27T14:30:00Z", [10, 12, 9, 11, 100]);
    const live = row("2026-11-27T18:00:01Z", [11, 11, 11, 11.5, 104]);
    expect(read([own, live], request("1d")).bars).toEqual([
      { timestamp: day("2026-11-27"), open: 10, high: 12, low: 9, close: 11.5, volume: 104 },
    ]);
  });

  test.each<[Resolution, string, string]>([
    ["1h", "2026-11-24T20:30:00Z", "2026-11-24T20:59:58Z"],
    ["30m", "2026-11-24T20:30:00Z", "2026-11-24T20:47:11Z"],
    ["15m", "2026-11-24T20:45:00Z", "2026-11-24T20:59:59Z"],
    ["5m", "2026-11-24T20:55:00Z", "2026-11-24T20:57:30Z"],
    ["1m", "2026-11-24T20:59:00Z", "2026-11-24T20:59:31Z"],
  ])(
    "are the %s bar at %s, though the second is stamped with a trade",
    (resolution, opens, trade) => {
      const rows = [row(opens, [10, 12, 9, 11, 100]), row(trade, [11, 13, 11, 12, 5])];
      expect(read(rows, request(resolution)).bars).toEqual([
        { timestamp: day(opens), open: 10, high: 13, low: 9, close: 12, volume: 105 },
      ]);
      // The trade alone is not the bar.
      expect(read(rows.slice(1), request(resolution))).toMatchObject({ bars: [], part: true });
    },
  );

  test("a last session alone is not its week: it is left out", () => {
    expect(read([before, lastDay], request("1w"))).toMatchObject({
      bars: [{ timestamp: day("2026-11-09") }],
      part: true,
    });
    expect(read([lastDay], request("1mo"), day("2026-12-02")).bars).toEqual([]);
  });

  test("dates alone are taken literally: a week that is dated by its Friday is that week", () => {
    const friday = row("2026-11-20", [55, 70, 40, 60, 20_000]);
    expect(read([friday], request("1w")).bars).toEqual([week]);
    expect(read([{ ...friday, timestamp: day("2026-11-15") }], request("1w")).bars).toEqual([week]);
    const coin = request("1w", { type: "CRYPTO", calendar: "CRYPTO" });
    expect(read([{ ...friday, timestamp: day("2026-11-15") }], coin).bars).toMatchObject([
      { timestamp: day("2026-11-09") },
    ]);
  });

  test("the same stamp twice with other values is a contradiction, and refused", () => {
    const answer = vendorBars([whole, { ...whole, close: 61 }], request("1w"), ALL, NOW);
    expect(answer).toMatchObject({ ok: false, reason: expect.stringContaining("impossible") });
  });
});

describe("rows of a closed market", () => {
  const prices: Prices = [100, 101, 99, 100.5, 1_000];

  test.each<[string, CalendarId, string, Resolution]>([
    ["at the close of half a day", "XNYS", "2026-11-27T18:00:00Z", "1h"],
    ["at the close", "XNYS", "2026-11-24T21:00:00Z", "1h"],
    ["after it", "XNYS", "2026-11-24T22:30:00Z", "30m"],
    ["before the opening", "XNYS", "2026-11-24T13:30:00Z", "15m"],
    ["on Thanksgiving", "XNYS", "2026-11-26T15:30:00Z", "5m"],
    ["on a Sunday", "XNYS", "2026-11-22T15:30:00Z", "1m"],
    ["at London's close", "XLON", "2026-11-24T16:30:00Z", "1h"],
    ["before Madrid's opening", "XMAD", "2026-11-24T07:30:00Z", "30m"],
    ["at the close, in bars of four hours", "XNYS", "2026-11-24T21:00:00Z", "4h"],
  ])("are left out and named: %s (%s, %s, %s)", (_, calendar, stamp, resolution) => {
    const good = row(calendar === "XNYS" ? "2026-11-23T14:30:00Z" : "2026-11-23T08:00:00Z", prices);
    const answer = read([row(stamp, prices), good], request(resolution, { calendar }));
    expect(answer.bars.map(({ timestamp }) => timestamp)).toEqual([good.timestamp]);
    expect(answer.offSession).toEqual([day(stamp)]);
  });

  test("no bar of any session of any market is left out, at any resolution", () => {
    for (const calendar of ["XNYS", "XLON", "XMAD"] as const) {
      const answer = sessionsBetween(calendar, "2026-10-20", "2026-11-27");
      if (answer.kind === "refused") throw new Error(answer.reason);
      for (const resolution of RESOLUTIONS.filter(isIntraday)) {
        const minutes = { "1m": 1, "5m": 5, "15m": 15, "30m": 30, "1h": 60, "4h": 240 }[
          resolution as "1m"
        ];
        const rows = answer.sessions.flatMap(({ open, close }) => {
          const opens: StampedBar[] = [];
          for (let at = open; at < close; at += minutes * 60_000)
            opens.push({ ...row("2026-11-23", prices), timestamp: at });
          return opens;
        });
        const found = read(rows, request(resolution, { calendar }));
        expect(found.offSession, `${calendar} ${resolution}`).toEqual([]);
        expect(found.bars).toHaveLength(rows.length);
      }
    }
  });

  test("the currency week begins inside a bar, which counts; a coin's has no end", () => {
    const sunday = row("2026-11-22T20:00:00Z", prices);
    const saturday = row("2026-11-21T12:00:00Z", prices);
    const euro = { type: "FX", calendar: "FX", currency: "USD" } as const;
    expect(read([saturday, sunday], request("4h", euro))).toMatchObject({
      bars: [{ timestamp: sunday.timestamp }],
      offSession: [saturday.timestamp],
    });
    const coin = { type: "CRYPTO", calendar: "CRYPTO" } as const;
    expect(read([saturday, sunday], request("1h", coin)).bars).toHaveLength(2);
  });

  test("a day without trades on which the market was closed is none; one that was traded is", () => {
    const quiet = row("2026-11-26T14:30:00Z", [100, 100, 100, 100, 0]);
    expect(read([quiet], request("1d"))).toMatchObject({
      bars: [],
      offSession: [day("2026-11-26")],
    });
    expect(read([{ ...quiet, volume: 5 }], request("1d")).bars).toHaveLength(1);
  });

  test("bars from before the calendars begin are kept", () => {
    expect(read([row("1985-11-28T03:00:00Z", prices)], request("1h")).bars).toHaveLength(1);
  });
});
