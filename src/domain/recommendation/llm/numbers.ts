/**
 * Reads every number in a text, and returns those that do not occur in the data that the model was
 * shown. A number is right when it is written as it was shown, or is one of the shown values
 * rounded to the digits it has, in the same unit: "12.3 %" is the fraction 0.123. Numbers in words
 * up to twelve ("two of the signals") are ignored; greater ones are refused. The subject of a
 * number is not checked.
 */
export interface Citable {
  /** Numbers as they were shown, in plain digits and in percent. */
  readonly plain: ReadonlySet<number>;
  readonly percent: ReadonlySet<number>;
  /** Values that may be rounded. A fraction may also be written in percent. */
  readonly values: readonly { readonly value: number; readonly isFraction: boolean }[];
  /** Words with digits in them, in lower case: `rsi14`, `1d`. */
  readonly words: ReadonlySet<string>;
  /** Days, YYYY-MM-DD. */
  readonly dates: ReadonlySet<string>;
  /** Names to pass over before anything is read. */
  readonly names: readonly string[];
}

/** A number or a word with digits in it, as it is written in a text. */
interface Token {
  readonly text: string;
  readonly kind: "date" | "word" | "number" | "unreadable";
  readonly value: number;
  /** Decimals shown. */
  readonly decimals: number;
  readonly isPercent: boolean;
}

const MONTHS =
  "January|February|March|April|May|June|July|August|September|October|November|December";

/*
 * One pass, the longest reading first: dates, words with digits, numbers (sign, thousands with
 * commas, decimals, exponent, unit), and whatever digit is left, which has no certain reading:
 * `1.2.3`, `1,23`, `½`, digits of other scripts.
 */
const TOKENS = new RegExp(
  [
    String.raw`(?<iso>(?<![\p{L}\p{N}])\d{4}-\d{2}-\d{2}(?:T[\d:.]+Z)?(?![\p{L}\p{N}]))`,
    String.raw`(?<dayFirst>(?<![\p{L}\p{N}.,])\d{1,2} (?:${MONTHS}),? \d{4}(?![\p{L}\p{N}]))`,
    String.raw`(?<monthFirst>(?<![\p{L}\p{N}])(?:${MONTHS}) \d{1,2},? \d{4}(?![\p{L}\p{N}]))`,
    String.raw`(?<number>(?:(?<=^|[\s("'“‘=:;[])[+\-−]|(?<![\p{L}\p{N}_.]|\p{N},))(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?(?![\p{L}\p{N}_]|[.,]\p{N})(?<unit>\s{0,3}(?:%|per ?cent(?:age points?)?\b|basis points?\b|bps?\b|‰))?)`,
    String.raw`(?<word>(?<![\p{L}\p{N}_.,])[A-Za-z0-9_]*(?:[A-Za-z_][0-9]|[0-9][A-Za-z_])[A-Za-z0-9_]*(?![\p{L}\p{N}_]|[.,]\p{N}))`,
    String.raw`(?<left>\p{N}\S*)`,
  ].join("|"),
  "gu",
);

const token = (text: string, kind: Token["kind"], value = Number.NaN): Token => ({
  text: text.slice(0, 40),
  kind,
  value,
  decimals: 0,
  isPercent: false,
});

const numberToken = (text: string, unit: string): Token => {
  const digits = text
    .slice(0, text.length - unit.length)
    .replaceAll(",", "")
    .replace("−", "-");
  const said = unit.trim();
  // No data is shown in basis points or per mille, so no answer can repeat it in them.
  if (said.startsWith("b") || said === "‰") return token(text, "unreadable");
  const decimals = /\.(\d+)/.exec(digits)?.[1]?.length ?? 0;
  const exponent = Number(/e([+-]?\d+)/.exec(digits)?.[1] ?? "0");
  return {
    text: text.slice(0, 40),
    kind: "number",
    value: Number(digits),
    decimals: decimals - exponent,
    isPercent: said !== "",
  };
};

const dateToken = (text: string): Token => {
  const [, day, month, year] =
    /^(\d{1,2}) (\w+),? (\d{4})$/.exec(text) ??
    swap(/^(\w+) (\d{1,2}),? (\d{4})$/.exec(text)) ??
    [];
  const at = MONTHS.split("|").indexOf(month ?? "") + 1;
  const pad = (part: string | number): string => String(part).padStart(2, "0");
  return token(day === undefined ? text.slice(0, 10) : `${year}-${pad(at)}-${pad(day)}`, "date");
};

const swap = (match: RegExpExecArray | null): readonly (string | undefined)[] | null =>
  match === null ? null : [match[0], match[2], match[1], match[3]];

/** Every token with a digit, left to right. */
export const tokensIn = (text: string): readonly Token[] =>
  [...text.matchAll(TOKENS)].map(({ 0: all, groups = {} }) => {
    const { iso, dayFirst, monthFirst, number, unit = "", word } = groups;
    if (iso !== undefined || dayFirst !== undefined || monthFirst !== undefined)
      return dateToken(all);
    if (number !== undefined) return numberToken(number, unit);
    return token(all, word === undefined ? "unreadable" : "word");
  });

/** Rounding may change a value by so much of itself: 0.6 is not 1. */
const MAX_ROUNDING = 0.05;

/** True if `shown`, a number with that many decimals, is `value` rounded. */
const isRounded = (shown: number, decimals: number, value: number): boolean => {
  const difference = Math.abs(shown - value);
  const half = 0.5 * 10 ** -decimals;
  return (
    difference <= half * (1 + 1e-9) + Math.abs(value) * 1e-15 &&
    difference <= Math.abs(value) * MAX_ROUNDING
  );
};

const isCitable = ({ value, decimals, isPercent }: Token, citable: Citable): boolean => {
  const shown = isPercent ? citable.percent : citable.plain;
  if (shown.has(value)) return true;
  return citable.values.some(({ value: own, isFraction }) =>
    isPercent
      ? isFraction && isRounded(value, decimals, own * 100)
      : isRounded(value, decimals, own),
  );
};

const isKnown = (one: Token, citable: Citable): boolean => {
  switch (one.kind) {
    case "number":
      return isCitable(one, citable);
    case "date":
      return citable.dates.has(one.text);
    case "word":
      return citable.words.has(one.text.toLowerCase());
    case "unreadable":
      return false;
  }
};

const NUMBER_WORDS =
  /\b(?:thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|(?:twen|thir|for|fif|six|seven|eigh|nine)ty(?:[- ]\w+)?|hundreds?|thousands?|millions?|billions?|trillions?|dozens?)\b/giu;

/** The numbers in a text that do not occur in the shown data, as they are written. */
export const strangeNumbers = (text: string, citable: Citable): readonly string[] => {
  const named = withoutNames(text, citable);
  const strange = tokensIn(named).filter((one) => !isKnown(one, citable));
  return [
    ...strange.map((one) => one.text),
    ...[...named.matchAll(NUMBER_WORDS)].map(([word]) => word),
  ];
};

/** A text without the names it may contain: they are not the model's words. */
export const withoutNames = (text: string, { names }: Pick<Citable, "names">): string =>
  names.reduce((rest, name) => withoutName(rest, name), text);

/** Replaces every occurrence of a name as a whole word by a character without digits. */
const withoutName = (text: string, name: string): string => {
  if (name === "") return text;
  const literal = name.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&");
  return text.replace(new RegExp(`(?<![\\p{L}\\p{N}])${literal}(?![\\p{L}\\p{N}])`, "gu"), "§");
};
