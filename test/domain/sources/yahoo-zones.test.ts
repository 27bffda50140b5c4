import { describe, expect, test } from "vitest";
import { CALENDAR_IDS, type CalendarId } from "../../../src/domain/market/calendar-id.ts";
import type { Resolution } from "../../../src/domain/market/resolution.ts";
import type { HistoryRequest } from "../../../src/sources/price-source.ts";
import { vendorSource } from "../../../src/sources/vendor.ts";
import { YAHOO } from "../../../src/sources/yahoo.ts";

const day = (date: string) => Date.parse(date);
const NOW = day("2024-12-20T12:00:00Z");

const ask = (resolution: Resolution, calendar: CalendarId): HistoryRequest => ({
  symbol: "THERE.DE",
  type: "STOCK",
  currency: "EUR",
  calendar,
  resolution,
  from: day("2023-12-01"),
  to: NOW,
});

/** Yahoo's answer for an exchange in a zone: so many rows with these stamps. */
const answer = (zone: string | undefined, stamps: readonly string[], more: object = {}) => {
  const column = stamps.map((_, n) => 10 + n);
  return {
    chart: {
      result: [
        {
          meta: {
            currency: "EUR",
            symbol: "THERE.DE",
            ...(zone === undefined ? {} : { exchangeTimezoneName: zone }),
          },
          timestamp: stamps.map((stamp) => Date.parse(stamp) / 1000),
          indicators: {
            quote: [{ open: column, high: column, low: column, close: column, volume: column }],
          },
          ...more,
        },
      ],
      error: null,
    },
  };
};

async function read(request: HistoryRequest, body: unknown) {
  const source = vendorSource(YAHOO, {
    baseUrl: "http://127.0.0.1:1",
    key: "",
    fetch: (async () => Response.json(body)) as typeof fetch,
    timeoutMs: 1_000,
    userAgent: "",
    now: () => NOW,
  });
  const reported = await source.history(request);
  if (reported.outcome !== "bars") throw new Error(`${reported.outcome}: ${reported.detail}`);
  return reported;
}

const datesOf = async (request: HistoryRequest, body: unknown) =>
  (await read(request, body)).bars.map(({ timestamp }) =>
    new Date(timestamp).toISOString().slice(0, 10),
  );

/**
 * Each with the rows of a winter and a summer: the stamps as they come, and the dates they mean
 * there.
 */
const REPLIES: readonly [string, string, Resolution, readonly [string, string][]][] = [
  // Days are stamped with the session's open.
  [
    "Berlin",
    "Europe/Berlin",
    "1d",
    [
      ["2024-01-09T08:00:00Z", "2024-01-09"],
      ["2024-07-09T07:00:00Z", "2024-07-09"],
    ],
  ],
  [
    "Tokyo",
    "Asia/Tokyo",
    "1d",
    [
      ["2024-01-09T00:00:00Z", "2024-01-09"],
      ["2024-07-09T00:00:00Z", "2024-07-09"],
    ],
  ],
  [
    "Sydney",
    "Australia/Sydney",
    "1d",
    [
      ["2024-01-08T23:00:00Z", "2024-01-09"],
      ["2024-07-09T00:00:00Z", "2024-07-09"],
    ],
  ],
  [
    "New York",
    "America/New_York",
    "1d",
    [
      ["2024-01-09T14:30:00Z", "2024-01-09"],
      ["2024-07-09T13:30:00Z", "2024-07-09"],
    ],
  ],
  // Some list days by their midnight.
  [
    "Berlin at midnight",
    "Europe/Berlin",
    "1d",
    [
      ["2024-01-08T23:00:00Z", "2024-01-09"],
      ["2024-07-08T22:00:00Z", "2024-07-09"],
    ],
  ],
  // Weeks and months with their first midnight.
  [
    "Berlin",
    "Europe/Berlin",
    "1w",
    [
      ["2024-01-07T23:00:00Z", "2024-01-08"],
      ["2024-07-07T22:00:00Z", "2024-07-08"],
    ],
  ],
  [
    "Tokyo",
    "Asia/Tokyo",
    "1w",
    [
      ["2024-01-07T15:00:00Z", "2024-01-08"],
      ["2024-07-07T15:00:00Z", "2024-07-08"],
    ],
  ],
  [
    "Sydney",
    "Australia/Sydney",
    "1w",
    [
      ["2024-01-07T13:00:00Z", "2024-01-08"],
      ["2024-07-07T14:00:00Z", "2024-07-08"],
    ],
  ],
  [
    "New York",
    "America/New_York",
    "1w",
    [
      ["2024-01-08T05:00:00Z", "2024-01-08"],
      ["2024-07-08T04:00:00Z", "2024-07-08"],
    ],
  ],
  [
    "Berlin",
    "Europe/Berlin",
    "1mo",
    [
      ["2024-01-31T23:00:00Z", "2024-02-01"],
      ["2024-06-30T22:00:00Z", "2024-07-01"],
    ],
  ],
  [
    "Tokyo",
    "Asia/Tokyo",
    "1mo",
    [
      ["2024-01-31T15:00:00Z", "2024-02-01"],
      ["2024-06-30T15:00:00Z", "2024-07-01"],
    ],
  ],
  [
    "Sydney",
    "Australia/Sydney",
    "1mo",
    [
      ["2024-01-31T13:00:00Z", "2024-02-01"],
      ["2024-06-30T14:00:00Z", "2024-07-01"],
    ],
  ],
  [
    "New York",
    "America/New_York",
    "1mo",
    [
      ["2024-02-01T05:00:00Z", "2024-02-01"],
      ["2024-07-01T04:00:00Z", "2024-07-01"],
    ],
  ],
];

const STOCK_CALENDARS = CALENDAR_IDS.filter((id) => id !== "FX");

describe.each(STOCK_CALENDARS)(
  "under the calendar %s, a bar of an exchange elsewhere",
  (calendar) => {
    test.each(REPLIES)("in %s (%s) keeps its date: %s", async (_, zone, resolution, rows) => {
      const body = answer(
        zone,
        rows.map(([stamp]) => stamp),
      );
      expect(await datesOf(ask(resolution, calendar), body)).toEqual(rows.map(([, date]) => date));
    });

    test("is ex on the exchange's day", async () => {
      const events = {
        dividends: { a: { amount: 0.5, date: Date.parse("2024-01-08T23:00:00Z") / 1000 } },
        splits: {
          a: { numerator: 2, denominator: 1, date: Date.parse("2024-01-09T23:00:00Z") / 1000 },
        },
      };
      const stamps = ["2024-01-07T23:00:00Z", "2024-01-08T23:00:00Z", "2024-01-09T23:00:00Z"];
      const body = answer("Australia/Sydney", stamps, { events });
      expect((await read(ask("1d", calendar), body)).actions).toMatchObject([
        { type: "dividend", exDate: day("2024-01-09") },
        { type: "split", exDate: day("2024-01-10") },
      ]);
    });

    test("that is the last session of its week is not the week", async () => {
      // Friday evening in Berlin, when the market had closed.
      const stamps = ["2024-01-07T23:00:00Z", "2024-01-14T23:00:00Z", "2024-01-19T16:35:12Z"];
      const { bars } = await read(ask("1w", calendar), answer("Europe/Berlin", stamps));
      expect(bars).toMatchObject([
        { timestamp: day("2024-01-08") },
        { timestamp: day("2024-01-15"), open: 11, high: 12, close: 12 },
      ]);
    });
  },
);

describe("a stamp that misses midnight by an hour or two when the clocks change", () => {
  test.each<[string, Resolution, string, string]>([
    ["America/Sao_Paulo", "1mo", "2024-02-01T01:00:00Z", "2024-02-01"],
    ["America/New_York", "1mo", "2024-04-01T03:00:00Z", "2024-04-01"],
    ["America/New_York", "1w", "2024-03-11T03:00:00Z", "2024-03-11"],
    ["Europe/Madrid", "1mo", "2024-03-31T20:00:00Z", "2024-04-01"],
  ])("in %s is the next day's, for %s", async (zone, resolution, stamp, date) => {
    const calendar = zone === "Europe/Madrid" ? "XMAD" : "XNYS";
    expect(await datesOf(ask(resolution, calendar), answer(zone, [stamp]))).toEqual([date]);
  });
});

describe("an answer that names no zone, or an unknown one,", () => {
  test.each([[undefined], ["Mars/Base"], [""]])(
    "is read on the calendar's clock: %s",
    async (zone) => {
      expect(await datesOf(ask("1d", "XNYS"), answer(zone, ["2024-01-09T14:30:00Z"]))).toEqual([
        "2024-01-09",
      ]);
    },
  );
});

test("shorter bars are at the instants they open, whatever the exchange's zone", async () => {
  const request = { ...ask("1h", "CRYPTO"), from: day("2024-12-10") };
  const body = answer("Asia/Tokyo", ["2024-12-10T23:00:00Z"]);
  expect((await read(request, body)).bars).toMatchObject([
    { timestamp: day("2024-12-10T23:00:00Z") },
  ]);
});
