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
        edits(name.toUpperCase(), one) <= MOST_EDITS,
    );
    return meant === undefined ? [] : [{ name, meant }];
  });
}

/** How many letters have to be put in, left out or changed to make one of the other (Levenshtein). */
function edits(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(changed, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
