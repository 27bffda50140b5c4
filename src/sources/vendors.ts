import type { VendorName } from "../domain/market/vendor.ts";
import { COINBASE } from "./coinbase.ts";
import { FRANKFURTER } from "./frankfurter.ts";
import { KRAKEN } from "./kraken.ts";
import { TIINGO } from "./tiingo.ts";
import { TWELVE_DATA } from "./twelvedata.ts";
import type { Vendor } from "./vendor.ts";
import { YAHOO } from "./yahoo.ts";

/** Every vendor we can ask; their limits are in docs/price-sources.md too. */
export const VENDORS: Readonly<Record<VendorName, Vendor>> = {
  yahoo: YAHOO,
  coinbase: COINBASE,
  kraken: KRAKEN,
  frankfurter: FRANKFURTER,
  twelvedata: TWELVE_DATA,
  tiingo: TIINGO,
};
