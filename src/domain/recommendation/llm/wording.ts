/** A forbidden pattern, by the check it fails, with the message for the model. */
interface Pattern {
  readonly check: "privacy" | "links" | "promises" | "language" | "echo";
  readonly what: string;
  readonly pattern: RegExp;
}

/*
 * Every pattern walks over a text once, whatever its length and content: a forbidden text is
 * recognised by its last few letters, not by everything before them, and lookaheads are bounded.
 */

/** A name that ends in one of the common endings of the Web, written like an address. */
const HOST =
  /[a-z0-9]-*\.(?:com|org|net|io|ai|app|dev|co|info|biz|xyz|me|ly|gg|ru|cn|uk|de|es|fr|eu|example)\b/iu;

const PATTERNS: readonly Pattern[] = [
  {
    check: "privacy",
    what: "an e-mail address",
    pattern: /[\p{L}\p{N}._%+-]@[\p{L}\p{N}-]+\.[\p{L}]{2,}/u,
  },
  {
    check: "privacy",
    what: "a telephone number",
    pattern: /\+\d[\d ().-]{6,}\d|\(\d{3}\)\s?\d{3}[ .-]?\d{4}|\b\d{3}[ .-]\d{3}[ .-]\d{4}\b/u,
  },
  {
    check: "privacy",
    what: "a key or secret",
    pattern:
      /\b(?:sk|pk|rk|api|key|ghp|gho|xox[abp]|whsec|glpat|hf|gsk)[-_](?=[A-Za-z0-9_-]{0,80}\d)[A-Za-z0-9_-]{8,}|\bAKIA[A-Z0-9]{12,}|\beyJ[A-Za-z0-9_-]{10,}|-----BEGIN|\bBearer\s+\S{8,}|(?<![A-Za-z0-9+/_-])(?=[A-Za-z0-9+/_-]*\d)(?=[A-Za-z0-9+/_-]*[A-Za-z])[A-Za-z0-9+/_-]{32,}/u,
  },
  { check: "privacy", what: "a bank account", pattern: /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,}/u },
  {
    check: "links",
    what: "a link",
    pattern: /[a-z0-9+.-]:\/\/|\bwww\.|\]\(|\bmailto:|\bjavascript:/iu,
  },
  { check: "links", what: "a link", pattern: HOST },
  {
    check: "language",
    what: "markup",
    pattern: /<\/?[a-z!][^>]{0,400}>|```|^[^\S\r\n\u2028\u2029]*#{1,6}\s|\*\*|__|&[a-z]+;|&#/imu,
  },
  { check: "language", what: "an exclamation or emoji", pattern: /!|\p{Extended_Pictographic}/u },
  {
    check: "language",
    what: "characters that are not plain text",
    pattern: /[\p{Cc}\p{Cf}\p{Co}\p{Cn}]/u,
  },
  { check: "language", what: "a script other than Latin", pattern: /(?!\p{Script=Latin})\p{L}/u },
  {
    check: "promises",
    what: "a promise",
    pattern:
      /\bguarante|\brisk[- ]?free\b|\b(?:no|without(?: (?:all|any))?|zero) (?:downside|risk)\b|\b(?:can(?:no|')t|can not|never) lose\b|\bsure (?:thing|profit|gain|win)|\bcertain to\b|\bcertainly\b|\bdefinite(?:ly)?\b|\bassured\b|\bcannot fail\b|\b(?:easy|quick|free) (?:money|profit)|\b(?:double|triple) your\b|(?<!\b(?:probability|chance|likelihood|odds|whether|if)\b[^.;]{0,80})\bwill (?:surely |definitely |certainly |soon )?(?:rise|fall|go up|go down|increase|decrease|soar|double|triple|rally|crash|gain|profit|make (?:you |a )?(?:money|profit))/iu,
  },
  {
    check: "promises",
    what: "advice in the imperative",
    pattern:
      /\b(?:you|investors?|traders?|everyone|everybody) (?:should|must|need to|ought to|have to)\b|\b(?:buy|sell|invest|act|hurry|order|subscribe|sign up) (?:now|today|immediately|before|quickly)\b|\b(?:we|i) (?:advise|urge|recommend) you\b|\bdo(?:n't| not) miss\b|\bgo all[- ]in\b|(?:^|[.;:] )(?:buy|sell|invest|purchase) (?:the|this|it|more|all|your)\b|\bput (?:all )?your (?:money|savings)\b/iu,
  },
  {
    check: "echo",
    what: "talk about its instructions",
    pattern:
      /\b(?:ignore|disregard|forget|override)\b[^.]{0,40}\b(?:instructions?|rules?|prompts?|above|previous)\b|\bsystem prompt\b|\b(?:my|these|your) instructions\b|\bas an? (?:ai|language model)\b|-----|\bboundary line/iu,
  },
];

/**
 * Digit groups that a payment card could have, checked by its own checksum (ISO/IEC 7812, Luhn).
 */
const CARD = /\b\d(?:[ -]?\d){12,18}\b/gu;

const isCard = (text: string): boolean => {
  const digits = [...text.replace(/\D/g, "")].reverse().map(Number);
  const sum = digits.reduce((total, digit, at) => {
    const doubled = at % 2 === 1 ? digit * 2 : digit;
    return total + (doubled > 9 ? doubled - 9 : doubled);
  }, 0);
  return sum % 10 === 0;
};

export type WordingCheck = Pattern["check"];
export const WORDING_CHECKS = ["privacy", "links", "promises", "language", "echo"] as const;

/**
 * The forbidden patterns in a sentence. `isShown` recognises numbers that were shown to the model:
 * a volume of sixteen digits is no card. Patterns are of English; they catch the usual, not
 * everything that can be written.
 */
export const wordingFaults = (
  text: string,
  isShown: (digits: string) => boolean,
): readonly { readonly check: WordingCheck; readonly what: string }[] => {
  const faults = PATTERNS.filter(({ pattern }) => pattern.test(text)).map(({ check, what }) => ({
    check,
    what,
  }));
  const cards = [...text.matchAll(CARD)].filter(([digits]) => isCard(digits) && !isShown(digits));
  return cards.length > 0 ? [...faults, { check: "privacy", what: "a card number" }] : faults;
};
