import { slipsBetween } from "../src/domain/nearest-name.ts";

/** Names of one or two words are too near to everybody else's (HOST, SORT). */
const SHORTEST_NAME = 8;
const MOST_EDITS = 2;

/** Variables of the environment that look like one of ours written wrongly, each with what was probably meant. */
export function misspelt(
  names: readonly string[],
  ours: readonly string[],
): readonly { readonly name: string; readonly meant: string }[] {
  const known = new Set(ours);
  return names.flatMap((name) => {
    if (known.has(name) || name.length < SHORTEST_NAME) return [];
    const meant = ours.find(
      (one) =>
        one.length >= SHORTEST_NAME &&
        Math.abs(one.length - name.length) <= MOST_EDITS &&
        slipsBetween(name.toUpperCase(), one) <= MOST_EDITS,
    );
    return meant === undefined ? [] : [{ name, meant }];
  });
}
