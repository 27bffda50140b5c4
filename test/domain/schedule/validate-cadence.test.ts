import { describe, expect, it, vi } from "vitest";
import type { Cadence } from "../../../src/domain/schedule/cadence.ts";
import { validateCadence } from "../../../src/domain/schedule/validate-cadence.ts";

const cron = (expression: string, timeZone = "America/New_York"): Cadence => ({
  type: "cron",
  expression,
  timeZone,
});
const interval = (everySeconds: number, anchor?: number): Cadence =>
  anchor === undefined
    ? { type: "interval", everySeconds }
    : { type: "interval", everySeconds, anchor };
const calendar = (offsetSeconds: number): Cadence => ({
  type: "calendar",
  calendar: "XNYS",
  event: "close",
  offsetSeconds,
});

describe("validateCadence", () => {
  it.each([
    cron("* * * * *"),
    cron("30 16 * * MON-FRI"),
    cron(" 0 0 29 2 * ", "Europe/Madrid"),
    cron("@daily", "UTC"),
    cron("0 0 L * *"),
    interval(60),
    interval(31 * 86_400, -1),
    calendar(86_400),
    calendar(-86_400),
  ])("lets %j through", (cadence) => {
    expect(validateCadence(cadence)).toBeNull();
  });

  it.each([
    [cron(""), "cannot be read"],
    [cron("60 * * * *"), "cannot be read: Invalid value for minute: 60"],
    [cron("* * * *"), "cannot be read"],
    [cron("0 * * * * *"), "cannot be read"],
    [cron("@reboot"), "cannot be read"],
    [cron("2030-01-01T00:00:00"), "five fields"],
    [cron(`${"0,".repeat(200)}0 * * * *`), "too long"],
    [cron("0 0 30 2 *"), "never fires"],
    [cron("0 0 31 4,6,9,11 *"), "never fires"],
    [cron("* * * * *", "Mars/Olympus"), '"Mars/Olympus" is not a time zone'],
    [cron("* * * * *", "+02:00"), '"+02:00" is not a time zone'],
    [cron("* * * * *", ""), '"" is not a time zone'],
    [interval(59), "at least 60 seconds"],
    [interval(31 * 86_400 + 1), "at most 31 days"],
    [interval(90.5), "whole number"],
    [interval(Number.NaN), "whole number"],
    [interval(60, 0.5), "anchor"],
    [interval(60, 1e300), "anchor"],
    [calendar(86_401), "within one day"],
    [calendar(-86_401), "within one day"],
    [calendar(0.5), "whole number"],
  ])("refuses %j with the reason", (cadence, why) => {
    expect(validateCadence(cadence)).toContain(why);
  });

  it("decides the same at any time of the clock", () => {
    // The last possible instant: a search ahead from this clock finds nothing.
    vi.useFakeTimers({ now: 8.64e15 });
    try {
      expect(validateCadence(cron("0 0 29 2 *"))).toBeNull();
      expect(validateCadence(cron("0 0 30 2 *"))).toContain("never fires");
    } finally {
      vi.useRealTimers();
    }
  });
});
