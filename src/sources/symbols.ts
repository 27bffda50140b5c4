import type { AssetType } from "../domain/market/asset-type.ts";
import type { CalendarId } from "../domain/market/calendar-id.ts";
import { listingOf } from "../domain/market/listing.ts";

/** The fields that decide a symbol's name at a vendor. */
export interface Named {
  readonly symbol: string;
  readonly type: AssetType;
  readonly calendar: CalendarId;
}

export interface Pair {
  readonly base: string;
  readonly quote: string;
}

/** With a separator anything is a pair; without one the quote must be a money people quote in. */
const SEPARATED = /^([A-Z0-9]{2,10})[-_.]([A-Z]{3,5})$/;
const JOINED_FX = /^([A-Z]{3})([A-Z]{3})(?:=X)?$/;
const JOINED_CRYPTO = /^([A-Z0-9]{2,10}?)(USDT|USDC|USD|EUR|GBP|BTC|ETH)$/;

/** BTC-USD, EURUSD, EUR_USD, EURUSD=X; null for a name of no pair. */
const pairOf = ({ symbol, type }: Pick<Named, "symbol" | "type">): Pair | null => {
  if (type === "STOCK") return null;
  const [, base, quote] =
    SEPARATED.exec(symbol) ?? (type === "FX" ? JOINED_FX : JOINED_CRYPTO).exec(symbol) ?? [];
  return base === undefined || quote === undefined || base === quote ? null : { base, quote };
};

/**
 * A symbol without the ending that names its market, and that ending with its dot; the calendar's
 * where it has none.
 */
const listedAt = ({
  symbol,
  calendar,
}: Named): { readonly root: string; readonly ending: string } => {
  const listing = listingOf(symbol);
  return listing.kind === "home" || (listing.kind === "unknown" && listing.market === null)
    ? { root: symbol, ending: YAHOO_ENDINGS[calendar] }
    : { root: symbol.slice(0, -listing.ending.length - 1), ending: `.${listing.ending}` };
};

const YAHOO_ENDINGS: Readonly<Record<CalendarId, string>> = {
  XNYS: "",
  XLON: ".L",
  XMAD: ".MC",
  CRYPTO: "",
  FX: "",
};

/** Indices by the names people know them by. */
const YAHOO_INDICES: Readonly<Record<string, string>> = {
  SPX: "^GSPC",
  NDX: "^NDX",
  DJI: "^DJI",
  RUT: "^RUT",
  VIX: "^VIX",
  UKX: "^FTSE",
  IBEX: "^IBEX",
};

/** AAPL, BRK-B, ^GSPC, VOD.L, SAN.MC, BTC-USD, EURUSD=X. */
export const yahooSymbol = (asset: Named): string | null => {
  const pair = pairOf(asset);
  if (asset.type === "CRYPTO") return pair === null ? null : `${pair.base}-${pair.quote}`;
  if (asset.type === "FX") return pair === null ? null : `${pair.base}${pair.quote}=X`;
  if (asset.symbol.startsWith("^")) return asset.symbol;
  const index = Object.hasOwn(YAHOO_INDICES, asset.symbol)
    ? YAHOO_INDICES[asset.symbol]
    : undefined;
  const { root, ending } = listedAt(asset);
  return index ?? root.replaceAll(".", "-") + ending;
};

/** BTC-USD. */
export const coinbaseProduct = (asset: Named): string | null => {
  const pair = asset.type === "CRYPTO" ? pairOf(asset) : null;
  return pair === null ? null : `${pair.base}-${pair.quote}`;
};

/** Kraken writes two coins by the codes of ISO 4217's style. */
const KRAKEN_NAMES: Readonly<Record<string, string>> = { BTC: "XBT", DOGE: "XDG" };
const krakenName = (name: string): string =>
  (Object.hasOwn(KRAKEN_NAMES, name) ? KRAKEN_NAMES[name] : null) ?? name;

/** XBTUSD, EURUSD. */
export const krakenPair = (asset: Named): string | null => {
  const pair = pairOf(asset);
  return pair === null ? null : krakenName(pair.base) + krakenName(pair.quote);
};

/** Two ISO 4217 codes. */
export const frankfurterPair = (asset: Named): Pair | null => {
  const pair = asset.type === "FX" ? pairOf(asset) : null;
  return pair !== null && /^[A-Z]{3}$/.test(pair.base) && /^[A-Z]{3}$/.test(pair.quote)
    ? pair
    : null;
};

/**
 * AAPL, BRK.B, BTC/USD, EUR/USD; the market goes in a parameter of its own, by the calendar, so it
 * must be that one's.
 */
export const twelveDataSymbol = (asset: Named): string | null => {
  if (asset.type === "STOCK") {
    const { root, ending } = listedAt(asset);
    return ending === YAHOO_ENDINGS[asset.calendar] ? root : null;
  }
  const pair = pairOf(asset);
  return pair === null ? null : `${pair.base}/${pair.quote}`;
};

/** AAPL, BRK-B: stocks of the United States only. */
export const tiingoTicker = (asset: Named): string | null =>
  asset.type === "STOCK" &&
  asset.calendar === "XNYS" &&
  listedAt(asset).ending === "" &&
  /^[A-Z0-9.-]+$/.test(asset.symbol)
    ? asset.symbol.replaceAll(".", "-")
    : null;

/** Currencies that some lists quote in hundredths. */
const HUNDREDTHS: Readonly<Record<string, string>> = {
  GBp: "GBP",
  GBX: "GBP",
  ZAc: "ZAR",
  ILA: "ILS",
};

/**
 * Divisor from the quoted currency to the stored one: 1, or 100 for pence that are stored as
 * pounds. Null when the two are different currencies.
 */
export const divisorOf = (quoted: string, kept: string): 1 | 100 | null => {
  if (quoted === kept) return 1;
  const whole = Object.hasOwn(HUNDREDTHS, quoted) ? HUNDREDTHS[quoted] : undefined;
  if (whole === undefined) return null;
  if (whole === kept) return 100;
  // GBX is pence by another name, and the API takes it as an asset's currency.
  return HUNDREDTHS[kept] === whole ? 1 : null;
};
