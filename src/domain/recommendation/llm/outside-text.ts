/** Longer than any symbol or source name. */
const LONGEST = 64;

/**
 * Control and format characters, line and paragraph separators, private use: none of them is part
 * of a name.
 */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Cn}\p{Zl}\p{Zp}]/gu;

/**
 * A text from outside (a symbol, the name of a source) in the form that a prompt may contain: on
 * one line, visible, short, without the characters that end the data. It is data there, whatever
 * its words.
 */
export const outsideText = (text: string): string => {
  const plain = text
    .normalize("NFKC")
    .replace(INVISIBLE, " ")
    .replace(/[<>`{}=#]|-{3,}/g, " ");
  return [...plain.replace(/\s+/g, " ").trim()].slice(0, LONGEST).join("");
};
