import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fingerprintOf, normalisedDetail } from "../../../src/domain/dead-letter/fingerprint.ts";

const of = (
  detail: string,
  symbol: string | null = null,
  code = "source.unavailable",
  queue = "ingest",
) => fingerprintOf(queue, { code, detail }, symbol);

describe("the fingerprint of a dead letter", () => {
  it.each([
    ["numbers", "HTTP 503 after 12.5 s", "HTTP 502 after 9 s"],
    ["instants", "no bars since 2030-01-07T12:00:00.000Z", "no bars since 2031-11-30T00:00:00Z"],
    ["ids", "event 01a2009d-7e2f-7aaa is gone", "event 01b3119e-aaaa-7bbb is gone"],
    ["white space and case", "The  endpoint\nfailed", "the endpoint failed"],
    ["the number of numbers", "rows 1, 2, 3 refused", "rows 7 refused"],
  ])("is the same whatever the %s", (_what, one, other) => {
    expect(of(one)).toBe(of(other));
  });

  it("is the same for every symbol, at any place in the text", () => {
    const detail = (symbol: string) => `asset/${symbol}: ${symbol} is not known (${symbol}).`;
    const prints = ["AAPL", "BRK.B", "BTC-USD", "EURUSD=X", "^GSPC", "A"].map((s) =>
      of(detail(s), s),
    );
    expect(new Set(prints).size).toBe(1);
    // A symbol inside another word is part of that word.
    expect(normalisedDetail("AAPL fell", "A")).toBe("aapl fell");
  });

  it("tells queues, codes and causes apart", () => {
    const prints = [
      of("no answer"),
      of("no answer", null, "source.timeout"),
      of("no answer", null, "source.unavailable", "indicators"),
      of("another answer"),
    ];
    expect(new Set(prints).size).toBe(4);
  });

  it("groups ten thousand dead letters of one cause", () => {
    const prints = Array.from({ length: 10_000 }, (_, n) => {
      const symbol = `S${n}`;
      return of(
        `${symbol}: HTTP ${500 + (n % 5)} at ${new Date(n * 1e9).toISOString()} (try ${n})`,
        symbol,
      );
    });
    expect(new Set(prints).size).toBe(1);
  });

  it("is sixteen hex digits for any words at all", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 3_000 }), fc.string(), (detail, code) => {
        expect(of(detail, "X", code)).toMatch(/^[0-9a-f]{16}$/);
      }),
    );
  });
});

describe("the fingerprint of a delivery's dead letter", () => {
  const at = (status: number, receiver: string) =>
    fingerprintOf(
      "webhooks",
      { code: "delivery.failed", detail: `the endpoint answered ${status}` },
      null,
      receiver,
    );

  it("separates one refusal from another, and from an unavailable server, whichever of the 5xx it answers", () => {
    const apart = [400, 401, 403, 404, 410, 429, 500, 302].map((status) => at(status, "one"));
    expect(new Set(apart).size).toBe(8);
    expect(new Set([500, 502, 503, 504].map((status) => at(status, "one"))).size).toBe(1);
  });

  it("separates one receiver from another", () => {
    expect(at(404, "one")).not.toBe(at(404, "two"));
    expect(at(404, "one")).toBe(at(404, "one"));
  });
});
