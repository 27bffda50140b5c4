/**
 * Texts that make a vulnerable pattern scan the same letters again and again: letters that a
 * pattern repeats, or its own matches, many times over, and an end that it cannot match.
 */
const LETTERS = [..."1aA .,-_=/<>#&\"'`+:;@([{|\\\t\n~^$%*!?\u00e4\u20ac\u{1f600}"];
const PAIRS = [
  "1,",
  "1.",
  "a.",
  "a-",
  "1 ",
  " #",
  "a@",
  "A1",
  "a=",
  "<a",
  '"a',
  "0-",
  ": ",
  "\n ",
  "a/",
  "1a",
  ".-",
  "# ",
  "a_",
  "--",
  "10:",
];
const WORDS = [
  "Bearer ",
  "inv_a",
  "whsec_",
  "sk-",
  "January 1",
  "https:",
  "secret",
  "api_key",
  "2024-01-02",
  "1,234",
  "will ",
  "GMT+01",
  "eyJ",
  "instructions ",
];
const ENDS = ["", "x", "!", "\u0000", "1", " "];

/** Letters and words in a pattern's source, without its grammar. */
const hints = (source: string): string[] => [
  ...new Set(
    source
      .replace(/\\[a-zA-Z]|\\p\{[^}]*\}|\(\?[<:=!]*/g, " ")
      .match(/[A-Za-z]{2,12}|[0-9]{2,6}/g) ?? [],
  ),
];

export function* attacksOn(
  pattern: RegExp,
): Generator<{ readonly unit: string; readonly end: string }> {
  const units = [...LETTERS, ...PAIRS, ...WORDS, ...hints(pattern.source).slice(0, 12)];
  for (const unit of units)
    for (const end of unit.length === 1 ? ENDS : ENDS.slice(0, 2)) yield { unit, end };
}

export const attackOf = (unit: string, end: string, characters: number): string =>
  unit.repeat(Math.ceil(characters / unit.length)).slice(0, characters) + end;
