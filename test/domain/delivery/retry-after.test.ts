import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  MAX_RETRY_AFTER_SECONDS,
  retryAfterSeconds,
} from "../../../src/domain/delivery/retry-after.ts";

const now = Date.UTC(2026, 0, 1);

describe("Retry-After", () => {
  it.each([
    ["120", 120],
    [" 7 ", 7],
    ["0", 0],
    ["007", 7],
    // A number of any length is the largest wait, never none.
    ["1000000", MAX_RETRY_AFTER_SECONDS],
    ["9999999999", MAX_RETRY_AFTER_SECONDS],
    ["99999999999999999999", MAX_RETRY_AFTER_SECONDS],
    ["9".repeat(400), MAX_RETRY_AFTER_SECONDS],
    ["Thu, 01 Jan 2026 00:01:00 GMT", 60],
    ["Thursday, 01-Jan-26 00:01:00 GMT", 60],
    ["Thu Jan  1 00:01:00 2026", 60],
    ["Sunday, 06-Nov-94 08:49:37 GMT", 0],
    ["Wed, 31 Dec 2025 00:00:00 GMT", 0],
    ["Fri, 31 Dec 9999 23:59:59 GMT", MAX_RETRY_AFTER_SECONDS],
  ])("of %s asks for %i seconds", (header, seconds) => {
    expect(retryAfterSeconds(header, now)).toBe(seconds);
  });

  it.each([
    null,
    undefined,
    "",
    "soon",
    "-5",
    "+5",
    "1e9",
    "12.5",
    "1,000",
    "0x10",
    "120 seconds",
    "wait 1",
    "2030-01-01T00:00:00Z",
    "January 2, 2030",
    "Thu, 01 Jan 2026 00:01:00",
    "Thu, 01 Jan 2026 00:01:00 CET",
    "Thu, 1 Jan 2026 00:01:00 GMT",
    "Thu, 31 Feb 2026 00:01:00 GMT",
    "Thu, 01 Jan 2026 24:01:00 GMT",
    "Thu, 01 Jan 2026 00:01:00 GMT, 5",
  ])("of %s is ignored", (header) => {
    expect(retryAfterSeconds(header, now)).toBeNull();
  });

  it("reads every date that toUTCString writes, and asks for a whole number of seconds up to a day", () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e6, max: 1e6 }), (seconds) => {
        const header = new Date(now + seconds * 1000).toUTCString();
        expect(retryAfterSeconds(header, now)).toBe(Math.min(86_400, Math.max(0, seconds)));
      }),
    );
  });
});
