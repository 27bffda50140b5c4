import type { AssetType } from "../../domain/market/asset-type.ts";
import { CALENDAR_IDS, type CalendarId } from "../../domain/market/calendar-id.ts";
import { HOME_CURRENCY, type Listing, listingOf } from "../../domain/market/listing.ts";
import { isVendorName } from "../../domain/market/vendor.ts";
import { ApiProblem } from "../http/problem.ts";

const DEFAULT_CALENDAR: Readonly<Record<AssetType, CalendarId>> = {
  STOCK: "XNYS",
  CRYPTO: "CRYPTO",
  FX: "FX",
};

/** What a wish for an asset says of where it is traded and in which money. */
interface UserRequest {
  readonly symbol: string;
  readonly type: AssetType;
  readonly source: string;
  readonly currency?: string | undefined;
  readonly calendar?: CalendarId | undefined;
}

/**
 * The calendar and the currency of an asset: those that were said, else those that a stock's ending
 * names, else those of its type. What a vendor would be asked in vain is refused, with what to
 * write instead: an ending without a calendar here, a calendar or a currency that contradicts the
 * ending. Whoever says the calendar may keep any currency: some lines have others.
 */
export function tradedAt({ symbol, type, source, currency, calendar }: UserRequest): {
  readonly calendar: CalendarId;
  readonly currency: string;
} {
  const listing: Listing = type === "STOCK" ? listingOf(symbol) : { kind: "home" };
  const isRequested = isVendorName(source);
  if (
    listing.kind === "known" &&
    calendar !== undefined &&
    calendar !== listing.calendar &&
    isRequested
  ) {
    const { ending, market } = listing;
    throw refused(
      "calendar",
      `.${ending} is ${market}'s: write ${listing.calendar}, or leave the calendar out`,
    );
  }
  if (listing.kind === "unknown" && calendar === undefined && isRequested)
    throw refused("symbol", withoutCalendar(symbol, listing));
  const chosen = calendar ?? (listing.kind === "known" ? listing.calendar : DEFAULT_CALENDAR[type]);
  const usual =
    listing.kind === "known" ? listing.currencies : homeCurrencies(type, listing, chosen);
  const money = currency ?? usual[0];
  if (money === undefined)
    throw refused("currency", "say it: a currency code of 3 to 5 capital letters");
  if (isRequested && calendar === undefined && usual.length > 0 && !usual.includes(money))
    throw refused("currency", otherMoney(symbol, listing, usual, money, chosen));
  return { calendar: chosen, currency: money };
}

const homeCurrencies = (
  type: AssetType,
  listing: Listing,
  calendar: CalendarId,
): readonly string[] => {
  const usual = type === "STOCK" && listing.kind === "home" ? HOME_CURRENCY[calendar] : undefined;
  return usual === undefined ? [] : [usual];
};

const withoutCalendar = (
  symbol: string,
  { ending, market }: Listing & { kind: "unknown" },
): string =>
  market === null
    ? `no market is known by the ending .${ending} of ${symbol}: .L is London's, .MC Madrid's, none New York's and BRK.B a ` +
      `class of shares there; or say with calendar whose days it keeps: one of ${CALENDAR_IDS.join(", ")}`
    : `.${ending} is ${market}'s, whose calendar is not known here: say with calendar whose days it keeps best, one of ` +
      `${CALENDAR_IDS.join(", ")}, or import its bars (source import)`;

const otherMoney = (
  symbol: string,
  listing: Listing,
  usual: readonly string[],
  money: string,
  calendar: CalendarId,
): string =>
  listing.kind === "known"
    ? `${symbol} is ${listing.market}'s, in ${usual.join(" or ")}: write that, or for a line in ${money} say calendar ${calendar} too`
    : `${symbol} without an ending is New York's, in ${usual.join(" or ")}: write that or the ending of its market (VOD.L, ` +
      `SAN.MC), or for a line in ${money} say its calendar too`;

const refused = (field: string, reason: string): ApiProblem =>
  new ApiProblem("validation_failed", `${field}: ${reason}.`, [{ field, reason }]);
