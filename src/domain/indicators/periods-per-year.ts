import type { AssetType } from "../market/asset-type.ts";
import type { Resolution } from "../market/resolution.ts";

/** Trading days a year, and hours a trading day is open: NYSE sessions for stocks, five days a week for FX, always for crypto. */
const TRADING_YEAR: Readonly<Record<AssetType, { readonly days: number; readonly hours: number }>> = {
  STOCK: { days: 252, hours: 6.5 },
  CRYPTO: { days: 365, hours: 24 },
  FX: { days: 252, hours: 24 },
};

const INTRADAY_HOURS: Readonly<Record<Exclude<Resolution, "1d" | "1w" | "1mo">, number>> = {
  "1m": 1 / 60,
  "5m": 5 / 60,
  "15m": 15 / 60,
  "30m": 30 / 60,
  "1h": 1,
  "4h": 4,
};

/**
 * How many bars make a year, for annualising: variance per bar × this = variance per year.
 * Days: 252 for STOCK and FX, 365 for CRYPTO; 52 weeks; 12 months. Shorter resolutions scale with the time the market
 * is open (STOCK 6.5 h a day, CRYPTO and FX 24 h), so a part bar counts as a part: 1h STOCK is 252 × 6.5 = 1,638.
 */
export const periodsPerYear = (assetType: AssetType, resolution: Resolution): number => {
  const year = TRADING_YEAR[assetType];
  if (resolution === "1mo") return 12;
  if (resolution === "1w") return 52;
  if (resolution === "1d") return year.days;
  return (year.days * year.hours) / INTRADAY_HOURS[resolution];
};
