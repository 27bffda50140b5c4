const TEXT_CHARACTERS = 200;
const DEPTH = 3;

/**
 * A payload in short, for people: long texts are cut, lists become their length and their first and
 * last entry, depths beyond three are left out.
 */
export const summaryOf = (payload: unknown): Record<string, unknown> => {
  const short = shortened(payload, DEPTH);
  return typeof short === "object" && short !== null ? { ...short } : { value: short };
};

function shortened(value: unknown, depth: number): unknown {
  if (typeof value === "string")
    return value.length > TEXT_CHARACTERS ? `${value.slice(0, TEXT_CHARACTERS)}…` : value;
  if (typeof value !== "object" || value === null) return value;
  if (depth === 0) return "…";
  if (Array.isArray(value)) {
    const ends = value.length > 1 ? { first: value[0], last: value.at(-1) } : { first: value[0] };
    const inside = Object.entries(ends).map(([name, item]) => [name, shortened(item, depth - 1)]);
    return value.length === 0
      ? { count: 0 }
      : { count: value.length, ...Object.fromEntries(inside) };
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [name, shortened(field, depth - 1)]),
  );
}
