import { describe, expect, it } from "vitest";
import { knownSessions, utc, weekdaysClosed } from "./known-sessions.ts";

describe("FX", () => {
  it("opens on Sunday and closes on Friday at 17:00 New York, day on day without a gap", () => {
    const week = knownSessions("FX", "2024-06-09", "2024-06-15");
    expect(week.map(({ date, open, close }) => [date, utc(open), utc(close)])).toEqual([
      ["2024-06-10", "2024-06-09 21:00", "2024-06-10 21:00"],
      ["2024-06-11", "2024-06-10 21:00", "2024-06-11 21:00"],
      ["2024-06-12", "2024-06-11 21:00", "2024-06-12 21:00"],
      ["2024-06-13", "2024-06-12 21:00", "2024-06-13 21:00"],
      ["2024-06-14", "2024-06-13 21:00", "2024-06-14 21:00"],
    ]);
  });

  it("closes only on Christmas Day and New Year's Day", () => {
    expect(weekdaysClosed("FX", 2024)).toEqual(["01-01", "12-25"]);
    expect(weekdaysClosed("FX", 2022)).toEqual([]);
  });

  it("opens on the evening of Christmas Day for the 26th", () => {
    expect(
      knownSessions("FX", "2024-12-24", "2024-12-26").map(({ open, close }) => [
        utc(open),
        utc(close),
      ]),
    ).toEqual([
      ["2024-12-23 22:00", "2024-12-24 22:00"],
      ["2024-12-25 22:00", "2024-12-26 22:00"],
    ]);
  });
});

describe("crypto", () => {
  it("trades every day from midnight to midnight UTC", () => {
    const sessions = knownSessions("CRYPTO", "2023-12-30", "2024-03-01");
    expect(sessions).toHaveLength(63);
    expect(sessions.every(({ open, close, early }) => close - open === 86_400_000 && !early)).toBe(
      true,
    );
    expect(sessions[0]).toEqual({
      date: "2023-12-30",
      open: Date.UTC(2023, 11, 30),
      close: Date.UTC(2023, 11, 31),
      early: false,
    });
  });
});
