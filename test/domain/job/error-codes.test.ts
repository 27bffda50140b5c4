import { describe, expect, test } from "vitest";
import { currentCode, ERROR_CODES } from "../../../src/domain/job/error-codes.ts";
import { faultClassOf, TREATMENTS } from "../../../src/domain/job/fault.ts";

/** Every code of 0.1 with the class it had there. */
const FORMER = {
  source_Timeout: "transient",
  source_Unavailable: "transient",
  source_Stale: "transient",
  source_RateLimited: "rateLimited",
  source_NotConfigured: "permanent",
  source_GeoBlocked: "permanent",
  source_MalformedPayload: "permanent",
  source_OtherScale: "permanent",
  source_UnknownSymbol: "permanent",
  source_Delisted: "permanent",
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
  portfolio_tooFewReturns: "permanent",
  portfolio_unusablePrice: "permanent",
  portfolio_invalidInput: "permanent",
  portfolio_invalidLimits: "permanent",
  portfolio_conflictingLimits: "permanent",
  portfolio_unreachableReturn: "permanent",
  portfolio_unreachableVolatility: "permanent",
  portfolio_noExcessReturn: "permanent",
  portfolio_noVolatility: "permanent",
  portfolio_notSolved: "permanent",
  backtest_tooFewBars: "permanent",
  backtest_unusablePrice: "permanent",
  backtest_tooMuchWork: "permanent",
  crossCheck_noBars: "permanent",
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

  test.each(["", "_", "source_", "source_Nothing", "toString", "__proto__"])(
    "%j never was a code: it is retried a bounded number of times",
    (code) => {
      expect(currentCode(code)).toBeNull();
      expect(TREATMENTS[faultClassOf(code)].action).toBe("retry");
    },
  );
});
