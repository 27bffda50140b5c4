import type { AssetType } from "./asset-type.ts";

/** The price sources that are somebody else's service, by the names the API uses. */
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

/** Who is asked after whom, for each type of asset. */
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
 * Whom to ask for an asset: its own source first, then those behind it in the order. A source that
 * is not in it stands alone.
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
 * Whether another source may be asked instead of one that answered so. A service that is out,
 * limits us, does not serve us or does not know the asset is passed over; one that has no data, or
 * that nobody can read, has to be looked at, not replaced.
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
