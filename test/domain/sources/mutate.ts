/** A random number in [0, 1), the same on every run. */
export type Random = () => number;

/** A text that must never be part of a source's result. */
export const MARK = "vendor-text-4711";

const STRANGE: readonly unknown[] = [
  null,
  0,
  -1,
  1e308,
  1e15,
  4_102_444_800,
  0.1 + 0.2,
  "",
  MARK,
  "12.5",
  "-3",
  "1e999",
  "NaN",
  "2024-13-45",
  "2024-01-05",
  true,
  [],
  {},
  [[]],
  { message: MARK },
  { error: { code: MARK, description: MARK } },
];

const pick = <T>(random: Random, from: readonly T[]): T | undefined =>
  from[Math.floor(random() * from.length)];

/** A fresh one each time: the damaged part may be damaged again. */
const strange = (random: Random): unknown => structuredClone(pick(random, STRANGE));

type Holder = unknown[] | Record<string, unknown>;

const isHolder = (value: unknown): value is Holder => typeof value === "object" && value !== null;

function holdersIn(value: unknown): Holder[] {
  if (!isHolder(value)) return [];
  return [value, ...Object.values(value).flatMap(holdersIn)];
}

/** The body with one to four things wrong, in its values, in its lists, or in its text. */
export function mutated(body: unknown, random: Random): string {
  let copy: unknown = structuredClone(body);
  const times = 1 + Math.floor(random() * 3);
  for (let turn = 0; turn < times; turn++) {
    const holder = pick(random, holdersIn(copy));
    if (holder === undefined) copy = strange(random);
    else if (Array.isArray(holder) && random() < 0.4) rearrange(holder, random);
    else change(holder, random);
  }
  const text = JSON.stringify(copy);
  const where = Math.floor(random() * text.length);
  const kind = random();
  if (kind < 0.05) return text.slice(0, where);
  if (kind < 0.1)
    return text.slice(0, where) + String.fromCharCode(33 + random() * 90) + text.slice(where + 1);
  return text;
}

function rearrange(list: unknown[], random: Random): void {
  const kind = random();
  if (kind < 0.25) list.reverse();
  else if (kind < 0.5) list.push(structuredClone(pick(random, list)));
  else if (kind < 0.75) list.splice(Math.floor(random() * list.length), 1);
  else list.push(strange(random));
}

function change(holder: Holder, random: Random): void {
  const key = pick(random, Object.keys(holder));
  if (key === undefined) return;
  const before: unknown = Reflect.get(holder, key);
  const kind = random();
  if (kind < 0.15) Reflect.deleteProperty(holder, key);
  else if (kind < 0.35 && typeof before === "number")
    Reflect.set(holder, key, before * (random() * 4 - 1));
  else if (kind < 0.5 && typeof before === "number") Reflect.set(holder, key, String(before));
  else Reflect.set(holder, key, strange(random));
}
