import { describe, expect, it } from "vitest";
import { offsetAt, wallClock } from "../../../src/domain/market/zone-time.ts";

const HOUR = 3_600_000;

describe("wallClock", () => {
  const instantOf = wallClock("America/New_York", Date.UTC(2024, 0, 1), Date.UTC(2024, 11, 31));

  it.each([
    ["2024-03-10T01:59Z", "2024-03-10T06:59Z"],
    ["2024-03-10T02:30Z", "2024-03-10T07:30Z"],
    ["2024-03-10T03:00Z", "2024-03-10T07:00Z"],
    ["2024-11-03T00:59Z", "2024-11-03T04:59Z"],
    ["2024-11-03T01:30Z", "2024-11-03T06:30Z"],
    ["2024-11-03T02:00Z", "2024-11-03T07:00Z"],
  ])("reads New York's %s as %s, around the changes of the clocks", (reading, instant) => {
    expect(instantOf(Date.parse(reading))).toBe(Date.parse(instant));
  });
});

it("returns each zone's offset from UTC at an instant", () => {
  const july = Date.UTC(2024, 6, 1);
  expect(offsetAt("America/New_York", july)).toBe(-4 * HOUR);
  expect(offsetAt("Europe/London", july)).toBe(HOUR);
  expect(offsetAt("Europe/London", Date.UTC(2024, 0, 1))).toBe(0);
  expect(offsetAt("Europe/Madrid", july)).toBe(2 * HOUR);
  expect(offsetAt("UTC", july)).toBe(0);
});

it("reads a town's own time to the second, before zones were agreed on", () => {
  expect(offsetAt("America/New_York", Date.UTC(1800, 0, 1))).toBe(-(4 * 3600 + 56 * 60 + 2) * 1000);
  expect(offsetAt("Europe/Madrid", Date.UTC(1900, 0, 1))).toBe(-(14 * 60 + 44) * 1000);
});
