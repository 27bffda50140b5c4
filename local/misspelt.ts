import { slipsBetween } from "../src/domain/nearest-name.ts";

/** Names of one or two words are too near to everybody else's (HOST, SORT). */
const MIN_NAME_LENGTH = 8;
const MAX_EDITS = 2;

/**
 * Variables of the environment that look like one of ours written wrongly, each with what was
 * probably meant.
 */
export function misspelt(
  names: readonly string[],
  ours: readonly string[],
): readonly { readonly name: string; readonly meant: string }[] {
  const known = new Set(ours);
  return names.flatMap((name) => {
    if (known.has(name) || name.length < MIN_NAME_LENGTH) return [];
    const meant = ours.find(
      (one) =>
        one.length >= MIN_NAME_LENGTH &&
        Math.abs(one.length - name.length) <= MAX_EDITS &&
        slipsBetween(name.toUpperCase(), one) <= MAX_EDITS,
    );
    return meant === undefined ? [] : [{ name, meant }];
  });
}
