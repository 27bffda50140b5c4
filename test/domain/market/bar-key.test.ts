import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { barKey } from "../../../src/domain/market/bar-key.ts";
import { CALENDAR_IDS } from "../../../src/domain/market/calendar-id.ts";
import { RESOLUTIONS } from "../../../src/domain/market/resolution.ts";

describe("barKey", () => {
  it.each([
    ["1d", "XNYS", "2024-03-11T13:30:00Z", "2024-03-11T00:00:00.000Z"],
    ["1d", "XNYS", "2024-03-11T00:00:00Z", "2024-03-11T00:00:00.000Z"],
    ["1d", "XNYS", "2024-03-11T04:00:00Z", "2024-03-11T00:00:00.000Z"],
    ["1d", "FX", "2024-06-30T23:00:00Z", "2024-07-01T00:00:00.000Z"],
    ["1w", "XNYS", "2024-03-17T00:00:00Z", "2024-03-11T00:00:00.000Z"],
    ["1w", "XNYS", "2024-03-11T04:00:00Z", "2024-03-11T00:00:00.000Z"],
    ["1w", "FX", "2024-06-30T23:00:00Z", "2024-07-01T00:00:00.000Z"],
    ["1w", "FX", "2023-01-08T00:00:00Z", "2023-01-09T00:00:00.000Z"],
    ["1w", "FX", "2023-01-07T00:00:00Z", "2023-01-02T00:00:00.000Z"],
    ["1w", "CRYPTO", "2024-01-03T05:00:00Z", "2024-01-01T00:00:00.000Z"],
    ["1mo", "XNYS", "2024-02-29T14:30:00Z", "2024-02-01T00:00:00.000Z"],
    ["1mo", "FX", "2024-06-30T23:00:00Z", "2024-07-01T00:00:00.000Z"],
    ["4h", "XNYS", "2024-03-11T13:30:00Z", "2024-03-11T13:30:00.000Z"],
    ["1m", "CRYPTO", "2024-03-11T13:31:00Z", "2024-03-11T13:31:00.000Z"],
  ] as const)("%s of %s stamped %s is %s", (resolution, calendarId, stamp, key) => {
    expect(new Date(barKey(resolution, calendarId, Date.parse(stamp))).toISOString()).toBe(key);
  });

  it("is its own key", () => {
    const stamp = fc.integer({ min: Date.UTC(1960, 0, 1), max: Date.UTC(2050, 0, 1) });
    fc.assert(
      fc.property(
        fc.constantFrom(...RESOLUTIONS),
        fc.constantFrom(...CALENDAR_IDS),
        stamp,
        (resolution, id, at) => {
          const key = barKey(resolution, id, at);
          expect(barKey(resolution, id, key)).toBe(key);
          expect(Math.abs(at - key)).toBeLessThan(32 * 86_400_000);
        },
      ),
    );
  });
});
