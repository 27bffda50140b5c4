/** Longer than any symbol or source name; what is longer was not meant to be one. */
const LONGEST = 64;

/**
 * Control and format characters, line and paragraph separators, private use: nothing of it is part
 * of a name.
 */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Cn}\p{Zl}\p{Zp}]/gu;

/**
 * A text that somebody outside wrote (a symbol, the name of a source) as it may stand in a prompt:
 * on one line, visible, short, without the marks that end the data. It is data there, whatever it
 * says.
 */
export const outsideText = (text: string): string => {
  const plain = text
    .normalize("NFKC")
    .replace(INVISIBLE, " ")
    .replace(/[<>`{}=#]|-{3,}/g, " ");
  return [...plain.replace(/\s+/g, " ").trim()].slice(0, LONGEST).join("");
};
