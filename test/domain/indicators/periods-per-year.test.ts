import { expect, test } from "vitest";
import { periodsPerYear } from "../../../src/domain/indicators/periods-per-year.ts";
import { ASSET_TYPES } from "../../../src/domain/market/asset-type.ts";
import { RESOLUTIONS } from "../../../src/domain/market/resolution.ts";

test.each([
  ["STOCK", "1d", 252],
  ["FX", "1d", 252],
  ["CRYPTO", "1d", 365],
  ["STOCK", "1w", 52],
  ["CRYPTO", "1w", 52],
  ["FX", "1mo", 12],
  ["CRYPTO", "1mo", 12],
  ["STOCK", "1h", 252 * 6.5],
  ["STOCK", "4h", 252 * 1.625],
  ["STOCK", "30m", 252 * 13],
  ["STOCK", "15m", 252 * 26],
  ["STOCK", "5m", 252 * 78],
  ["STOCK", "1m", 252 * 390],
  ["CRYPTO", "1h", 365 * 24],
  ["CRYPTO", "1m", 365 * 1440],
  ["FX", "4h", 252 * 6],
] as const)("%s %s has %f periods a year", (assetType, resolution, expected) => {
  expect(periodsPerYear(assetType, resolution)).toBeCloseTo(expected, 6);
});

test("every asset type has one at every resolution", () => {
  for (const assetType of ASSET_TYPES)
    for (const resolution of RESOLUTIONS) expect(periodsPerYear(assetType, resolution)).toBeGreaterThan(0);
});
