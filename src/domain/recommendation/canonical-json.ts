/**
 * JSON with the keys of every object in code-unit order and no white space, so that equal values
 * have equal text whatever the order they were built in (numbers and strings as JSON.stringify,
 * like RFC 8785). Undefined fields are left out. Throws a TypeError where JSON would silently write
 * null: NaN, an infinity, an undefined array item.
 */
export const canonicalJson = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const fields = Object.entries(value)
      .filter(([, field]) => field !== undefined)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, field]) => `${JSON.stringify(key)}:${canonicalJson(field)}`);
    return `{${fields.join(",")}}`;
  }
  if (typeof value === "number" && !Number.isFinite(value))
    throw new TypeError(`${value} is not JSON.`);
  const text: string | undefined = JSON.stringify(value);
  if (text === undefined) throw new TypeError(`A ${typeof value} is not JSON.`);
  return text;
};
