/**
 * Price files as people really send them: those that must be refused, how, and those that must be
 * taken.
 */
import { HEADER } from "./daily-bars.ts";

const ROW = "2019-01-02,10,12,9,11,100";
const file = (...rows: readonly string[]): string => [HEADER, ...rows].join("\n");

/** Refused at once, as a whole, because their meaning is uncertain. */
export const UNREADABLE_FILES: readonly (readonly [
  name: string,
  csv: string | Uint8Array,
  reason: RegExp,
])[] = [
  ["an empty file", "", /empty/],
  ["blank lines only", "\n\n  \n", /empty/],
  ["a header and no rows", HEADER, /no rows/],
  ["a missing column", "timestamp,open,high,low,volume\n2019-01-02,1,1,1,1", /"close" is missing/],
  ["no column for time", "open,high,low,close,volume\n1,1,1,1,1", /"timestamp" is missing/],
  [
    "a column twice",
    "timestamp,open,high,low,close,close,volume\n2019-01-02,1,1,1,1,1,1",
    /more than once/,
  ],
  [
    "two columns for time",
    "date,datetime,open,high,low,close,volume\n2019-01-02,2019-01-02T10:00Z,1,1,1,1,1",
    /could be the timestamp/,
  ],
  [
    "a time without a zone",
    file("2019-01-02T10:00:00,10,12,9,11,100"),
    /row 1 \(line 2\).*time zone.*timeZone=UTC/,
  ],
  [
    "thousands or decimals",
    file('2019-01-02,,,,"1,234",100'),
    /row 1 \(line 2\).*decimal=\..*decimal=,/,
  ],
  ["American dates", file("1/2/2019,10,12,9,11,100"), /row 1 \(line 2\).*which part is the day/],
  [
    "European dates",
    file("02.01.2019,10,12,9,11,100"),
    /row 1 \(line 2\).*which part is the day.*dateFormat=DMY/,
  ],
  ["epoch seconds", file("1546387200,10,12,9,11,100"), /row 1 \(line 2\).*bare number/],
  ["unbalanced quotes", file('"2019-01-02,10,12,9,11,100', ROW), /quotes do not match/],
  [
    "binary garbage",
    Uint8Array.from({ length: 4096 }, (_, at) => (at * 197 + 13) % 256),
    /missing|quotes|empty/,
  ],
  [
    "a picture",
    Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ", "base64"),
    /missing|quotes/,
  ],
  ["a web page", "<!doctype html><html><body>Sign in</body></html>", /missing/],
];

/** Taken as a file, refused by a row: the job fails, names row and field, and stores nothing. */
export const REFUSED_ROWS: readonly (readonly [
  name: string,
  csv: string,
  row: number,
  field: string,
])[] = [
  ["a high below the low", file(ROW, "2019-01-03,10,8,9,9,100"), 2, "high"],
  ["a negative price", file("2019-01-02,10,12,-9,11,100"), 1, "low"],
  ["a zero price", file(ROW, "2019-01-03,0,12,0,11,100"), 2, "open"],
  ["a negative volume", file("2019-01-02,10,12,9,11,-1"), 1, "volume"],
  ["a future date", file(ROW, "2999-01-02,10,12,9,11,100"), 2, "timestamp"],
  [
    "tomorrow's date",
    file(`${new Date(Date.now() + 2 * 86_400_000).toISOString().slice(0, 10)},10,12,9,11,1`),
    1,
    "timestamp",
  ],
  ["a date before 1900", file("1899-12-31,10,12,9,11,100"), 1, "timestamp"],
  ["30 February", file("2019-02-30,10,12,9,11,100"), 1, "timestamp"],
  ["no timestamp", file(",10,12,9,11,100"), 1, "timestamp"],
  [
    "one day with two values",
    file(ROW, "2019-01-03,1,1,1,1,1", "2019-01-02,10,12,9,11.5,100"),
    3,
    "timestamp",
  ],
  ["NaN", file("2019-01-02,10,12,9,NaN,100"), 1, "close"],
  ["Infinity", file("2019-01-02,10,Infinity,9,11,100"), 1, "high"],
  ["null", file("2019-01-02,null,null,null,null,null"), 1, "close"],
  ["1e999", file("2019-01-02,10,12,9,1e999,100"), 1, "close"],
  ["four hundred digits", file(`2019-01-02,10,12,9,${"9".repeat(400)},100`), 1, "close"],
  ["thousands that are not whole", file('2019-01-02,10,12,9,"1,10.00",100'), 1, "close"],
  ["a hundred thousand digits", file(`2019-01-02,10,12,9,${"9".repeat(100_000)}x,100`), 1, "close"],
  ["a percent sign", file("2019-01-02,10,12,9,11%,100"), 1, "close"],
  ["no close", file("2019-01-02,10,12,9,,100"), 1, "close"],
  ["half a range", file("2019-01-02,10,,9,11,100"), 1, "high"],
  ["a field too few", file("2019-01-02,10,12,9,11"), 1, "row"],
  ["a field too many", file("2019-01-02,10,12,9,11,100,7"), 1, "row"],
  ["a spreadsheet formula", file('2019-01-02,10,12,9,"=1+1",100'), 1, "close"],
];

const DAYS = ["2019-01-02", "2019-01-03", "2019-01-04"];
const rows = (cells: (day: string) => string): string[] => DAYS.map(cells);

/** All of them contain the same three bars. */
export const DIALECTS: readonly (readonly [name: string, csv: string | Uint8Array])[] = [
  ["plain", file(...rows((day) => `${day},10,12,9,11,100`))],
  ["a byte order mark", `\ufeff${file(...rows((day) => `${day},10,12,9,11,100`))}`],
  ["CRLF line ends", [HEADER, ...rows((day) => `${day},10,12,9,11,100`), ""].join("\r\n")],
  [
    "everything quoted",
    file(...rows((day) => `"${day}","10","12","9","11","100"`)).replace(
      HEADER,
      HEADER.replace(/\w+/g, '"$&"'),
    ),
  ],
  ["newest first", file(...rows((day) => `${day},10,12,9,11,100`).reverse())],
  [
    "more columns, in another order and case",
    [
      "Volume,Close,Adj Close,Low,High,Open,Date,Note",
      ...rows((day) => `100,11,10.5,9,12,10,${day},"a, b"`),
    ].join("\n"),
  ],
  ["instants", file(...rows((day) => `${day}T00:00:00Z,10,12,9,11,100`))],
  [
    "instants with an offset",
    file(...rows((day) => `${day}T02:00:00+02:00,10.0,12.00,9.0,1.1e1,1E2`)),
  ],
  ["UTF-16", Buffer.from(`\ufeff${file(...rows((day) => `${day},10,12,9,11,100`))}`, "utf16le")],
  ["dollars, and thousands in quotes", file(...rows((day) => `${day},$10,$12.00,$9,$11,"100"`))],
  [
    "a title, and a total below",
    `Prices\n\n${file(...rows((day) => `${day},10,12,9,11,100`))}\nTotal,,,,,300\n`,
  ],
  ["semicolons", file(...rows((day) => `${day},10,12,9,11,100`)).replaceAll(",", ";")],
  ["tabs", file(...rows((day) => `${day},10,12,9,11,100`)).replaceAll(",", "\t")],
  ["blank lines", file("", ...rows((day) => `${day},10,12,9,11,100\n`), "")],
  [
    "the same row twice",
    file(...rows((day) => `${day},10,12,9,11,100`), "2019-01-03,10,12,9,11,100"),
  ],
];
