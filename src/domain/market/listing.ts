import type { CalendarId } from "./calendar-id.ts";

/** The listing of a stock by the ending of its symbol: VOD.L, SAN.MC, BRK.B. */
export type Listing =
  /** New York, a class of shares included. */
  | { readonly kind: "home" }
  /** A market whose calendar is known here. */
  | {
      readonly kind: "known";
      readonly ending: string;
      readonly market: string;
      readonly calendar: CalendarId;
      /** Moneys of its quotes, the usual one first. */
      readonly currencies: readonly string[];
    }
  /** A market whose calendar is unknown here; null for an ending of no known market. */
  | { readonly kind: "unknown"; readonly ending: string; readonly market: string | null };

const KNOWN: Readonly<
  Record<
    string,
    {
      readonly market: string;
      readonly calendar: CalendarId;
      readonly currencies: readonly string[];
    }
  >
> = {
  L: { market: "London", calendar: "XLON", currencies: ["GBP", "GBX"] },
  MC: { market: "Madrid", calendar: "XMAD", currencies: ["EUR"] },
};

/** Markets without a calendar here, by the endings that Yahoo gives their listings. */
const ABROAD: Readonly<Record<string, string>> = {
  AE: "Dubai",
  AQ: "Aquis",
  AS: "Amsterdam",
  AT: "Athens",
  AX: "Sydney",
  BA: "Buenos Aires",
  BC: "Bogota",
  BD: "Budapest",
  BE: "Berlin",
  BK: "Bangkok",
  BM: "Bremen",
  BO: "Bombay",
  BR: "Brussels",
  CA: "Cairo",
  CN: "the Canadian Securities Exchange",
  CO: "Copenhagen",
  CR: "Caracas",
  DE: "Xetra",
  DU: "Dusseldorf",
  F: "Frankfurt",
  HA: "Hanover",
  HE: "Helsinki",
  HK: "Hong Kong",
  HM: "Hamburg",
  IC: "Reykjavik",
  IL: "London's international order book",
  IR: "Dublin",
  IS: "Istanbul",
  JK: "Jakarta",
  JO: "Johannesburg",
  KL: "Kuala Lumpur",
  KQ: "KOSDAQ",
  KS: "Seoul",
  KW: "Kuwait",
  LS: "Lisbon",
  ME: "Moscow",
  MI: "Milan",
  MU: "Munich",
  MX: "Mexico",
  NE: "Cboe Canada",
  NS: "the National Stock Exchange of India",
  NZ: "Wellington",
  OL: "Oslo",
  PA: "Paris",
  PR: "Prague",
  PS: "Manila",
  QA: "Qatar",
  RG: "Riga",
  RO: "Bucharest",
  SA: "Sao Paulo",
  SG: "Stuttgart",
  SI: "Singapore",
  SN: "Santiago",
  SR: "Riyadh",
  SS: "Shanghai",
  ST: "Stockholm",
  SW: "Zurich",
  SZ: "Shenzhen",
  T: "Tokyo",
  TA: "Tel Aviv",
  TI: "EuroTLX",
  TL: "Tallinn",
  TO: "Toronto",
  TW: "Taipei",
  TWO: "Taipei's over-the-counter market",
  V: "the TSX Venture Exchange",
  VI: "Vienna",
  VN: "Ho Chi Minh City",
  VS: "Vilnius",
  WA: "Warsaw",
  XC: "Cboe UK",
  XD: "Cboe Europe",
};

/** Classes, units, warrants, rights and preferred shares of New York: BRK.B, ABC.WS, JPM.PRC. */
const HOME = /^(?:[A-Z]|U|UN|W|WS|WT|WD|R|RT|WI|PR[A-Z]?|P[A-Z])$/;

/** The listing that a stock's symbol names. */
export function listingOf(symbol: string): Listing {
  const at = symbol.lastIndexOf(".");
  if (symbol.startsWith("^") || at <= 0) return { kind: "home" };
  const ending = symbol.slice(at + 1);
  const known = Object.hasOwn(KNOWN, ending) ? KNOWN[ending] : undefined;
  if (known !== undefined) return { kind: "known", ending, ...known };
  const market = Object.hasOwn(ABROAD, ending) ? ABROAD[ending] : undefined;
  if (market !== undefined) return { kind: "unknown", ending, market };
  return HOME.test(ending) ? { kind: "home" } : { kind: "unknown", ending, market: null };
}

/** The usual money of a calendar's market where a stock's symbol has no ending. */
export const HOME_CURRENCY: Readonly<Partial<Record<CalendarId, string>>> = {
  XNYS: "USD",
  XLON: "GBP",
  XMAD: "EUR",
};
