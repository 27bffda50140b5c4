/** A number of an upload, null where the field was empty, or the reason why it was refused. */
export type NumberReading =
  | { readonly ok: true; readonly value: number | null }
  | { readonly ok: false; readonly reason: string };

/** No quoted price comes near; a larger one is a column mix-up. In the asset's currency. */
export const MAX_PRICE = 1e15;

/** Units traded in one period. */
export const MAX_VOLUME = 1e18;

/** No number that a person or a program writes is longer. */
export const MAX_NUMBER_LENGTH = 64;

/** Only the point separates whole part and decimals, so that a row of digits is scanned once. */
const PLAIN_DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
const CURRENCY_SIGN = /\p{Sc}/u;

const EMPTY: NumberReading = { ok: true, value: null };

/**
 * Plain decimals and exponents only: "1,234" is 1234 to one reader and 1.234 to the next, so it is
 * refused.
 */
export const readDecimal = (text: string, limit: number): NumberReading => {
  if (text === "") return EMPTY;
  if (text.length > MAX_NUMBER_LENGTH)
    return refused(`is longer than ${MAX_NUMBER_LENGTH} characters`);
  if (PLAIN_DECIMAL.test(text)) return readNumber(Number(text), limit);
  if (CURRENCY_SIGN.test(text)) return refused("carries a currency sign: write the number alone");
  if (text.includes(","))
    return refused("has a comma: write thousands without separators and decimals with a point");
  return refused("is not a plain decimal number");
};

/** The same bounds for a number that came as a number. */
export const readNumber = (value: number | null | undefined, limit: number): NumberReading => {
  if (value === null || value === undefined) return EMPTY;
  if (Number.isNaN(value)) return refused("is not a number");
  if (Math.abs(value) > limit) return refused(`is beyond ${limit.toExponential()}`);
  // Adding zero turns −0, which no reader of the API expects, into 0.
  return { ok: true, value: value + 0 };
};

const refused = (reason: string): NumberReading => ({ ok: false, reason });
