import { describe, expect, it } from "vitest";
import { loadDemoSeries } from "../../../local/demo-series.ts";
import type { Bar } from "../../../src/domain/asset/bar.ts";
import { barKey } from "../../../src/domain/market/bar-key.ts";
import type { CalendarId } from "../../../src/domain/market/calendar-id.ts";
import { knownSessions } from "./known-sessions.ts";

const SERIES = loadDemoSeries();
const barsOf = (key: string): readonly Bar[] => SERIES.get(key) ?? [];
const dateOf = ({ timestamp }: Bar): string => new Date(timestamp).toISOString().slice(0, 10);

/**
 * Dates of a series without a session, and sessions without a date, between its first date and its
 * last.
 */
const deviations = (key: string, calendar: CalendarId) => {
  const dates = barsOf(key).map(dateOf);
  const sessions = knownSessions(calendar, dates[0] ?? "", dates.at(-1) ?? "").map(
    ({ date }) => date,
  );
  return {
    count: dates.length,
    span: [dates[0], dates.at(-1)],
    beyond: dates.filter((date) => !sessions.includes(date)),
    lacking: sessions.filter((date) => !dates.includes(date)),
  };
};

/**
 * Rows of @visx/mock-data's AAPL for holidays of New York, from Thanksgiving 2008 to Labor Day
 * 2010: the file fills weekdays with the close before. Before and after that time it has no such
 * rows.
 */
const AAPL_FILLED = [
  ...[
    "2008-11-27",
    "2008-12-25",
    "2009-01-01",
    "2009-04-10",
    "2009-07-03",
    "2009-11-26",
    "2009-12-25",
  ],
  ...[
    "2010-01-01",
    "2010-01-18",
    "2010-02-15",
    "2010-04-02",
    "2010-05-31",
    "2010-07-05",
    "2010-09-06",
  ],
];

/** A Tuesday on which New York traded and the file has no row. */
const AAPL_LACKING = ["2009-08-11"];

describe("the dates of real series", () => {
  it("of the S&P 500, 2000 to 2020, are New York's sessions, all of them and no others", () => {
    expect(deviations("SPX/1d", "XNYS")).toEqual({
      count: 5_105,
      span: ["2000-01-03", "2020-04-17"],
      beyond: [],
      lacking: [],
    });
  });

  it("of AAPL, 2007 to 2012, are New York's sessions but for the dirt of the file", () => {
    expect(deviations("AAPL/1d", "XNYS")).toEqual({
      count: 1_280,
      span: ["2007-04-24", "2012-05-01"],
      beyond: AAPL_FILLED,
      lacking: AAPL_LACKING,
    });
  });

  it("that the file of AAPL has for holidays repeat the close of the day before: nothing was traded", () => {
    const bars = barsOf("AAPL/1d");
    for (const date of AAPL_FILLED) {
      const at = bars.findIndex((bar) => dateOf(bar) === date);
      expect([date, bars[at]?.close]).toEqual([date, bars[at - 1]?.close]);
    }
  });

  it("of BTC-USD, 2016 and 2017, are all days of those years", () => {
    expect(deviations("BTC-USD/1d", "CRYPTO")).toEqual({
      count: 365,
      span: ["2016-07-04", "2017-07-03"],
      beyond: [],
      lacking: [],
    });
  });

  it.each([
    ["MSFT", "2000-01-01", 123],
    ["AMZN", "2000-01-01", 123],
    ["IBM", "2000-01-01", 123],
    ["AAPL", "2000-01-01", 123],
    // Google was listed on 19 August 2004.
    ["GOOG", "2004-08-01", 68],
  ])(
    "of %s by month are those of the months in which New York had a session, from %s on",
    (symbol, from, count) => {
      const months = knownSessions("XNYS", from, "2010-03-31").map(({ open }) =>
        barKey("1mo", "XNYS", open),
      );
      const bars = barsOf(`${symbol}/1mo`);
      expect(bars.map(({ timestamp }) => timestamp)).toEqual([...new Set(months)]);
      expect([bars[0] && dateOf(bars[0]), bars.length]).toEqual([from, count]);
    },
  );
});
