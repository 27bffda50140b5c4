import {
  MAX_NUMBER_LENGTH,
  type NumberReading,
  readDecimal,
  readNumber,
} from "../asset/read-number.ts";
import type { RowPlace } from "../asset/row-error.ts";
import type { DecimalMark } from "./question.ts";

/** Evidence of a file's number format. Counts, so that a single slip does not decide. */
export interface NumberSigns {
  /** Numbers that can only be read with this character before the decimals. */
  point: number;
  comma: number;
  /**
   * Numbers like 15.365 and 15,365, which are whole thousands to one reader and have decimals for
   * the next.
   */
  pointOrThousands: number;
  commaOrThousands: number;
  /** The first number of each doubtful kind, for the question. */
  readonly doubtful: { readonly text: string; readonly place: RowPlace }[];
  readonly currencies: Set<string>;
  readonly suffixes: Set<string>;
  readonly thousands: Set<string>;
}

export const noSigns = (): NumberSigns => ({
  point: 0,
  comma: 0,
  pointOrThousands: 0,
  commaOrThousands: 0,
  doubtful: [],
  currencies: new Set(),
  suffixes: new Set(),
  thousands: new Set(),
});

const MULTIPLES: Readonly<{ [suffix: string]: number }> = { K: 1e3, M: 1e6, B: 1e9, T: 1e12 };
/** Texts for an unknown volume. */
const UNKNOWN: ReadonlySet<string> = new Set([
  "-",
  "--",
  "–",
  "—",
  "n/a",
  "na",
  "#n/a",
  "nan",
  "null",
  "none",
]);
const LEADING_SIGN = /^(\p{Sc}) ?(?=\d|[.,]\d)/u;
const TRAILING_SIGN = /(?<=\d) ?(\p{Sc})$/u;
/** Non-breaking spaces and apostrophes occur in numbers only between thousands. */
const NEUTRAL_THOUSANDS = /(?<=\d)[\u00a0\u202f\u2009'’](?=\d{3})/g;
const GROUPED = /^\d{1,3}(?:[.,]\d{2,3})*[.,]\d{3}$/;

export const isUnknown = (text: string): boolean =>
  text === "" || (text.length <= 5 && UNKNOWN.has(text.toLowerCase()));

/** Nearly every number of nearly every file; read without further tests. */
const PLAIN = /^\d+(?:\.(\d+))?$/;

interface Stripped {
  readonly negative: boolean;
  readonly digits: string;
  readonly currency: string | null;
  readonly suffix: string | null;
}

const strip = (text: string, isVolume: boolean): Stripped => {
  let rest = text;
  let negative = false;
  if (rest.startsWith("-") || rest.startsWith("+")) {
    negative = rest.startsWith("-");
    rest = rest.slice(1);
  }
  const leading = LEADING_SIGN.exec(rest);
  if (leading !== null) rest = rest.slice(leading[0].length);
  const trailing = TRAILING_SIGN.exec(rest);
  if (trailing !== null) rest = rest.slice(0, trailing.index);
  let suffix: string | null = null;
  const last = rest.at(-1)?.toUpperCase() ?? "";
  if (isVolume && MULTIPLES[last] !== undefined) {
    suffix = last;
    rest = rest.slice(0, -1).trimEnd();
  }
  return { negative, digits: rest, currency: leading?.[1] ?? trailing?.[1] ?? null, suffix };
};

/** Counts the evidence of one cell. */
export const noteSigns = (
  signs: NumberSigns,
  cell: string,
  isVolume: boolean,
  place: RowPlace,
): void => {
  if (cell.length > MAX_NUMBER_LENGTH || isUnknown(cell)) return;
  const decimals = PLAIN.exec(cell);
  if (decimals !== null && decimals[1]?.length !== 3) {
    if (decimals[1] !== undefined) signs.point += 1;
    return;
  }
  const { digits, currency, suffix } = strip(cell, isVolume);
  if (currency !== null) signs.currencies.add(currency);
  if (suffix !== null) signs.suffixes.add(suffix);
  const plain = digits.replace(NEUTRAL_THOUSANDS, "");
  if (plain.length !== digits.length) signs.thousands.add(/['’]/.test(digits) ? "'" : " ");
  const point = plain.lastIndexOf(".");
  const comma = plain.lastIndexOf(",");
  if (point === -1 && comma === -1) return;
  if (point !== -1 && comma !== -1) {
    const [decimal, thousands] =
      point > comma ? (["point", ","] as const) : (["comma", "."] as const);
    signs[decimal] += 1;
    signs.thousands.add(thousands);
    return;
  }
  const mark = point === -1 ? "," : ".";
  const [own, other] = mark === "." ? (["point", "comma"] as const) : (["comma", "point"] as const);
  const grouped = GROUPED.test(plain) && !plain.startsWith("0");
  if (plain.indexOf(mark) !== plain.lastIndexOf(mark)) {
    // A repeated separator can only be thousands.
    if (grouped) {
      signs[other] += 1;
      signs.thousands.add(mark);
    }
  } else if (!grouped || suffix !== null) signs[own] += 1;
  else {
    const doubt = own === "point" ? "pointOrThousands" : "commaOrThousands";
    signs[doubt] += 1;
    if (signs.doubtful.length === 0) signs.doubtful.push({ text: cell, place });
  }
};

/** Where decimals begin in a file, or null when its numbers can be read both ways. */
export const decideDecimal = (
  signs: NumberSigns,
  known: DecimalMark | undefined,
  delimiter: string,
  looksContinental: boolean,
): DecimalMark | null => {
  if (known === "." && (signs.point > 0 || signs.comma === 0)) return ".";
  if (known === "," && (signs.comma > 0 || signs.point === 0)) return ",";
  if (signs.point !== signs.comma) return signs.point > signs.comma ? "." : ",";
  if (signs.point > 0) return ".";
  if (signs.commaOrThousands > 0) return null;
  // A point in a file with commas or tabs is a decimal point, as programs write it. With semicolons
  // it may be thousands.
  if (signs.pointOrThousands > 0 && (delimiter === ";" || looksContinental)) return null;
  return ".";
};

/** Reads a cell's number in the file's format; other texts are refused with the reason. */
export const readNumberAs = (
  cell: string,
  decimal: DecimalMark,
  limit: number,
  isVolume: boolean,
): NumberReading => {
  if (cell.length > MAX_NUMBER_LENGTH) return readDecimal(cell, limit);
  if (cell === "" || (isVolume && isUnknown(cell))) return { ok: true, value: null };
  if (decimal === "." && PLAIN.test(cell)) return readNumber(Number(cell), limit);
  const { negative, digits, suffix } = strip(cell, isVolume);
  const plain = plainDigits(digits.replace(NEUTRAL_THOUSANDS, ""), decimal);
  if (plain === null) return readDecimal(cell, limit);
  const reading = readDecimal(negative ? `-${plain}` : plain, limit);
  if (!reading.ok || reading.value === null || suffix === null) return reading;
  // 12.34M is 12,340,000 and not 12,339,999.999…: the decimal point moves in the text.
  const moved = Number(`${negative ? "-" : ""}${plain}e${Math.log10(MULTIPLES[suffix] ?? 1)}`);
  return moved > limit
    ? { ok: false, reason: `is beyond ${limit.toExponential()}` }
    : { ok: true, value: moved };
};

const COMMA_GROUPS = /^\d{1,3}(?:,\d{2,3})*,\d{3}(?:\.\d*)?$/;
const POINT_GROUPS = /^\d{1,3}(?:\.\d{3})*\.\d{3}(?:,\d*)?$/;
const SPACE_GROUPS = /^\d{1,3}(?: \d{3})*(?:,\d*)?$/;

/** The digits with a decimal point and nothing else; null when they are not in this format. */
const plainDigits = (digits: string, decimal: DecimalMark): string | null => {
  if (!/\d/.test(digits.slice(0, 2))) return null;
  if (decimal === ".") {
    if (!digits.includes(",")) return digits;
    return COMMA_GROUPS.test(digits) ? digits.replaceAll(",", "") : null;
  }
  if (!digits.includes(",") && !digits.includes(".") && !digits.includes(" ")) return digits;
  if (POINT_GROUPS.test(digits)) return digits.replaceAll(".", "").replace(",", ".");
  if (SPACE_GROUPS.test(digits)) return digits.replaceAll(" ", "").replace(",", ".");
  return /^\d*,\d*(?:[eE][+-]?\d+)?$/.test(digits) ? digits.replace(",", ".") : null;
};
