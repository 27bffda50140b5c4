import type { AssetType } from "./asset-type.ts";

/** The price sources that are external services, by the names the API uses. */
export const VENDOR_NAMES = [
  "yahoo",
  "coinbase",
  "kraken",
  "frankfurter",
  "twelvedata",
  "tiingo",
] as const;

export type VendorName = (typeof VENDOR_NAMES)[number];

export const isVendorName = (name: string): name is VendorName =>
  (VENDOR_NAMES as readonly string[]).includes(name);

/** The order in which sources are tried, for each type of asset. */
export type SourceOrder = Readonly<Record<AssetType, readonly VendorName[]>>;

/**
 * Those without a key come first. Reference rates of the ECB have no second source that means the
 * same.
 */
export const SOURCE_ORDER: SourceOrder = {
  STOCK: ["yahoo", "twelvedata", "tiingo"],
  CRYPTO: ["coinbase", "kraken"],
  FX: ["frankfurter"],
};

/**
 * The sources to try for an asset: its own first, then those after it in the order. A source
 * outside of the order is the only candidate.
 */
export const candidatesFor = (
  order: SourceOrder,
  type: AssetType,
  source: string,
): readonly string[] => {
  const names: readonly string[] = order[type];
  const place = names.indexOf(source);
  return place < 0 ? [source] : names.slice(place);
};

/**
 * True if another source may be asked after this outcome. A service that is unavailable, limits us,
 * does not serve us or does not know the asset is skipped; one without data or with unreadable data
 * needs a person, not a replacement.
 */
export const mayPassOver = (outcome: string): boolean => SKIPPED.has(outcome);

const SKIPPED: ReadonlySet<string> = new Set([
  "Unavailable",
  "Timeout",
  "RateLimited",
  "GeoBlocked",
  "NotConfigured",
  "BreakerOpen",
  "UnknownSymbol",
  "Delisted",
]);
