import { expect, test } from "vitest";
import {
  DEMO_SERIES,
  findDemoSeries,
  REPLAY_END,
  REPLAY_START,
} from "../../../src/domain/market/demo-catalogue.ts";

test("the demo declares which series move and which are history", () => {
  const live = DEMO_SERIES.filter((series) => series.live).map(({ symbol }) => symbol);
  const history = DEMO_SERIES.filter((series) => !series.live).map(({ symbol }) => symbol);
  expect(live).toEqual(["SPX", "BTC-USD", "EURUSD", "INVENTED"]);
  expect(history).toEqual(["AAPL", "MSFT", "AMZN", "IBM", "GOOG"]);
});

test("invented prices are labelled, and no others", () => {
  const synthetic = DEMO_SERIES.filter(({ source }) => source === "synthetic");
  expect(synthetic.map(({ symbol }) => symbol)).toEqual(["EURUSD", "INVENTED"]);
  for (const { attribution, source } of DEMO_SERIES)
    expect(attribution).toMatch(source === "demo" ? /vega-datasets|@visx\/mock-data/ : /not real/);
});

test("every symbol is listed once and is found", () => {
  expect(new Set(DEMO_SERIES.map(({ symbol }) => symbol)).size).toBe(DEMO_SERIES.length);
  expect(findDemoSeries("AAPL")).toMatchObject({
    resolutions: ["1d", "1mo"],
    calendar: "XNYS",
    type: "STOCK",
  });
  expect(findDemoSeries("TSLA")).toBeUndefined();
});

test("the replay runs from the first session of 2017 through the day of the last SPX bar", () => {
  expect(new Date(REPLAY_START).toISOString()).toBe("2017-01-03T00:00:00.000Z");
  expect(new Date(REPLAY_END).toISOString()).toBe("2020-04-17T23:59:59.999Z");
});
