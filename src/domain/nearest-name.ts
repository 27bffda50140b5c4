/** Names longer than this are no slips of the finger, and comparing costs their length squared. */
const LONGEST = 60;

/** Our names for the names in other programs' interfaces, the likeliest first. */
const ELSEWHERE: Readonly<Record<string, readonly string[]>> = {
  after: ["cursor", "from"],
  before: ["to"],
  count: ["limit"],
  date: ["asOf", "from"],
  end: ["to"],
  enddate: ["to"],
  filter: ["pattern"],
  freq: ["resolution"],
  frequency: ["resolution"],
  granularity: ["resolution"],
  interval: ["resolution"],
  next: ["cursor"],
  nextcursor: ["cursor"],
  offset: ["cursor"],
  page: ["cursor"],
  pagesize: ["limit"],
  pagetoken: ["cursor"],
  perpage: ["limit"],
  period: ["resolution"],
  since: ["from"],
  size: ["limit"],
  start: ["from"],
  startdate: ["from"],
  startingafter: ["cursor"],
  status: ["state"],
  ticker: ["symbol", "symbols"],
  timeframe: ["resolution"],
  until: ["to"],
};

/**
 * The known name that was most likely meant: the same one written in another style (`as_of`),
 * another program's name for it, or one with at most a third of its letters wrong. Null when none
 * is near: a far guess misleads.
 */
export function nearestName(given: string, known: readonly string[]): string | null {
  if (given.length > LONGEST) return null;
  const plain = plainly(given);
  const same = known.find((name) => plainly(name) === plain);
  if (same !== undefined) return same;
  let nearest: { readonly name: string; readonly distance: number } | null = null;
  for (const name of known) {
    const distance = slipsBetween(plain, plainly(name));
    if (nearest === null || distance < nearest.distance) nearest = { name, distance };
  }
  const maximum = Math.max(1, Math.floor(plain.length / 3));
  if (nearest !== null && nearest.distance <= maximum && nearest.distance < plain.length)
    return nearest.name;
  // Own properties only: `constructor` is no name of ours.
  const elsewhere = Object.hasOwn(ELSEWHERE, plain) ? (ELSEWHERE[plain] ?? []) : [];
  return elsewhere.find((name) => known.includes(name)) ?? null;
}

const plainly = (name: string): string => name.replaceAll(/[_\-\s]/g, "").toLowerCase();

/** Letters to insert, remove, replace, or swap with their neighbour (optimal string alignment). */
export function slipsBetween(one: string, other: string): number {
  if (other.length > LONGEST) return Number.POSITIVE_INFINITY;
  let before: number[] = [];
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 1; i <= one.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= other.length; j += 1) {
      const isSame = one[i - 1] === other[j - 1];
      const isSwapped =
        i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      next[j] = Math.min(
        (row[j] ?? 0) + 1,
        (next[j - 1] ?? 0) + 1,
        (row[j - 1] ?? 0) + (isSame ? 0 : 1),
        isSwapped ? (before[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    [before, row] = [row, next];
  }
  return row[other.length] ?? 0;
}
