import { describe, expect, test } from "vitest";
import { currentCode, ERROR_CODES } from "../../../src/domain/job/error-codes.ts";
import { faultClassOf, TREATMENTS } from "../../../src/domain/job/fault.ts";

/** Every code of 0.1 with the class it had there. */
const FORMER = {
  source.timeout: "transient",
  source.unavailable: "transient",
  source.stale: "transient",
  source.rate_limited: "rateLimited",
  source.not_configured: "permanent",
  source.geo_blocked: "permanent",
  source.malformed_payload: "permanent",
  source.other_scale: "permanent",
  source.unknown_symbol: "permanent",
  source.delisted: "permanent",
  source_never_asked: "permanent",
  breaker_open: "breakerOpen",
  answer_under_way: "rateLimited",
  analysis_not_ready: "transient",
  version_conflict: "transient",
  timeout: "transient",
  unexpected: "transient",
  consumer_gave_up: "transient",
  delivery_failed: "transient",
  payload_conflict: "permanent",
  asset_unknown: "permanent",
  bars_refused: "permanent",
  file_unreadable: "permanent",
  upload_missing: "permanent",
  portfolio_unknown: "permanent",
  portfolio.too_few_returns: "permanent",
  portfolio.unusable_price: "permanent",
  portfolio.invalid_input: "permanent",
  portfolio.invalid_limits: "permanent",
  portfolio.conflicting_limits: "permanent",
  portfolio.unreachable_return: "permanent",
  portfolio.unreachable_volatility: "permanent",
  portfolio.no_excess_return: "permanent",
  portfolio.no_volatility: "permanent",
  portfolio.not_solved: "permanent",
  backtest.too_few_bars: "permanent",
  backtest.unusable_price: "permanent",
  backtest.too_much_work: "permanent",
  cross_check.no_bars: "permanent",
  contract_violation: "permanent",
  unreadable_message: "permanent",
  bug: "bug",
} as const;

describe("error codes", () => {
  test.each(Object.keys(ERROR_CODES))("%s is snake_case with a dotted area", (code) => {
    expect(code).toMatch(/^[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*$/);
  });

  test.each(Object.entries(FORMER))("a stored %s keeps its class, %s", (code, faultClass) => {
    expect(faultClassOf(code)).toBe(faultClass);
    expect(currentCode(code)).not.toBeNull();
  });

  test("each code has a former one, and no two share one", () => {
    const now = Object.keys(FORMER).map(currentCode);
    expect(new Set(now).size).toBe(now.length);
    expect(Object.keys(ERROR_CODES).filter((code) => !now.some((one) => one === code))).toEqual([]);
  });

  test.each(["", "_", "source_", "source.nothing", "toString", "__proto__"])(
    "%j never was a code: it is retried a bounded number of times",
    (code) => {
      expect(currentCode(code)).toBeNull();
      expect(TREATMENTS[faultClassOf(code)].action).toBe("retry");
    },
  );
});
