import { slipsBetween } from "../src/domain/nearest-name.ts";

/** Names of one or two words are too close to other programs' (HOST, SORT). */
const MIN_NAME_LENGTH = 8;
const MAX_EDITS = 2;

/** Variables of the environment that resemble one of ours, each with the probable one. */
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
