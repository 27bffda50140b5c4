const lower = (fields: readonly string[]): string[] => fields.map((field) => field.toLowerCase());

/** The header begins with these names, in any case. */
export const begins =
  (...names: readonly string[]) =>
  (fields: readonly string[]): boolean => {
    const given = lower(fields);
    return names.every((name, at) => given[at] === name);
  };

/** The header has all of these names, in any case and order. */
export const holds =
  (...names: readonly string[]) =>
  (fields: readonly string[]): boolean => {
    const given = new Set(lower(fields));
    return names.every((name) => given.has(name));
  };

export const either =
  (...tests: readonly ((fields: readonly string[]) => boolean)[]) =>
  (fields: readonly string[]): boolean =>
    tests.some((test) => test(fields));
