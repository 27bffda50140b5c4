import { gzipSync } from "node:zlib";
import type { Random } from "./chance.ts";
import { isObject } from "./pool.ts";

/** Words that have broken servers before, as they stand in a URL. */
export const NASTY_IN_URL: readonly string[] = [
  "",
  ".",
  "..",
  "%2e%2e",
  "%2F",
  "%5C",
  "%",
  "%zz",
  "%00",
  "%ff",
  "%c0%af",
  "%ED%A0%80",
  "%F0%9F%92%A9",
  "%E2%80%AE",
  "%0d%0aX-Evil:1",
  "null",
  "undefined",
  "NaN",
  "Infinity",
  "-1",
  "0",
  "1.5",
  "1e1",
  "1e999",
  "99999999999999999999",
  "0x10",
  "true",
  "__proto__",
  "constructor",
  "toString",
  "'--",
  "%27%20OR%201=1--",
  "%25s%25n",
  "*",
  "%3Cscript%3E",
  "0000-01-01",
  "0000-00-00",
  "9999-12-31",
  "+275760-09-13",
  "275761-01-01",
  "-271821-04-20",
  "2020-02-30",
  "2020-01-01T24:00:00Z",
  "2020-01-01T00:00:00+99:99",
  "a".repeat(300),
  "A".repeat(5_000),
  "W10",
  "e30",
  "bnVsbA",
  "WzFlMzA4XQ",
  "Wy0xXQ",
  "WyJhIiwiYiJd",
  "A%2FB",
  "BRK.B",
  "^GSPC",
  "EURUSD=X",
];

const NASTY_VALUES: readonly unknown[] = [
  null,
  true,
  0,
  -0,
  -1,
  1.5,
  1e15,
  1e308,
  -1e308,
  5e-324,
  Number.MAX_SAFE_INTEGER,
  2 ** 53,
  "",
  " ",
  "0",
  "\u0000",
  "\ud800",
  "a\udc00b",
  "\u202e",
  "💩",
  "İ",
  "é".normalize("NFD"),
  "__proto__",
  "constructor",
  "1e999",
  "NaN",
  "'; DROP TABLE bars; --",
  "../../etc/passwd",
  "{{7*7}}%s%n",
  "http://169.254.169.254/latest/meta-data",
  "file:///etc/passwd",
  "x".repeat(10_000),
  [],
  {},
  [[]],
  [null],
  { __proto__: null, toString: 1 },
  Array(300).fill("A"),
];

/** The value with one place in it broken: another type, too much, too little, a name too many. */
export function broken(value: unknown, random: Random): unknown {
  if (random.is(0.25)) return random.pick(NASTY_VALUES);
  if (Array.isArray(value) && value.length > 0) {
    if (random.is(0.2)) return Array(random.pick([0, 2, 60, 1_000])).fill(value[0]);
    const at = random.below(value.length);
    return value.map((one, index) => (index === at ? broken(one, random) : one));
  }
  if (!isObject(value)) return random.pick(NASTY_VALUES);
  const names = Object.keys(value);
  if (names.length === 0 || random.is(0.2))
    return {
      ...value,
      [random.pick(["x", "Name", "__proto__x", "", "\ud800", "a.b"])]: random.pick(NASTY_VALUES),
    };
  const name = random.pick(names);
  if (random.is(0.2))
    return Object.fromEntries(Object.entries(value).filter(([key]) => key !== name));
  if (random.is(0.1))
    return Object.fromEntries(
      Object.entries(value).map(([key, one]) => [key === name ? `${key}s` : key, one]),
    );
  return { ...value, [name]: broken(value[name], random) };
}

export interface Payload {
  readonly type: string | null;
  readonly bytes: Uint8Array | string;
  readonly encoding?: string;
}

/** JSON that is not quite JSON, or says that it is something else. */
export function spoilt(text: string, type: string, random: Random): Payload {
  const deep = random.pick([100, 5_000, 15_000]);
  const kinds: readonly (() => Payload)[] = [
    () => ({ type, bytes: text.slice(0, random.below(text.length + 1)) }),
    () => ({ type, bytes: `\ufeff${text}` }),
    () => ({ type, bytes: `${text}${text}` }),
    () => ({ type, bytes: text.replace(/\d+/, "1e999") }),
    () => ({ type, bytes: text.replace(/\d+/, "9".repeat(400)) }),
    () => ({ type, bytes: text.replace(/^\{/, '{"__proto__":{"a":1},') }),
    () => ({ type, bytes: text.replace(/^\{"([^"]+)":/, '{"$1":1,"$1":') }),
    () => ({ type, bytes: `${"[".repeat(deep)}${"]".repeat(deep)}` }),
    () => ({ type, bytes: `${'{"a":'.repeat(deep / 5)}1${"}".repeat(deep / 5)}` }),
    () => ({ type, bytes: Buffer.from(text, "utf16le") }),
    () => ({ type, bytes: Buffer.concat([Buffer.from(text), Buffer.from([0xff, 0xfe, 0xc0])]) }),
    () => ({ type, bytes: gzipSync(text), encoding: "gzip" }),
    () => ({ type, bytes: text, encoding: "gzip" }),
    () => ({ type, bytes: "" }),
    () => ({ type, bytes: "x".repeat(70_000) }),
    () => ({
      type,
      bytes: random.pick(["null", "1", '"x"', "[]", "{}", "NaN", "undefined", "\u0000"]),
    }),
    () => ({ type: null, bytes: text }),
    () => ({
      type: random.pick([
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "application/jsonx",
        "APPLICATION/JSON",
        "application/vnd.api+json",
        "text/csv",
        "x".repeat(2_000),
      ]),
      bytes: text,
    }),
  ];
  return random.pick(kinds)();
}

const CELLS = [
  "2001-01-01",
  "2001-02-14",
  "03/04/2001",
  "100",
  "1,5",
  '"1,234.5"',
  "1e999",
  "-1",
  "NaN",
  "",
  '"',
  "\u0000",
  "=1+1",
  "null",
  "9".repeat(500),
  "💩",
];

/** A file of bars as people, and nobody, would have it. */
export function csv(random: Random): string {
  const header = random.pick([
    "timestamp,open,high,low,close,volume",
    "Date,Open,High,Low,Close,Adj Close,Volume",
    "Fecha;Último;Apertura;Máximo;Mínimo",
    "close,close,timestamp",
    "",
    "\ufefftimestamp\tclose",
  ]);
  const mark = header.includes(";") ? ";" : header.includes("\t") ? "\t" : ",";
  const first = Date.UTC(2001, 0, 1) + random.below(200) * 86_400_000;
  const rows = Array.from({ length: random.pick([0, 1, 3, 40]) }, (_, index) => {
    const day = new Date(first + index * 86_400_000).toISOString().slice(0, 10);
    const cells = [day, "100", "101", "99", String(100 + (index % 3)), "1000"];
    if (random.is(0.05)) cells[random.below(cells.length)] = random.pick(CELLS);
    if (random.is(0.03)) cells.push(random.pick(CELLS));
    return cells.join(mark);
  });
  return [header, ...rows].join(random.pick(["\n", "\r\n", "\r"]));
}
