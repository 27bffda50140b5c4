import { NUMBER_FIELDS, type NumberField } from "../asset/read-bar.ts";
import { shorten } from "../asset/row-error.ts";
import { isDateName, NAMES_OF, plainName, ROLES, type Role, TIME_NAMES } from "./column-names.ts";
import type { Form } from "./forms.ts";
import type { Choice, Question } from "./question.ts";
import { type RequestedColumns, requestedPosition } from "./requested-columns.ts";

/** Position of each value in a record; null for one that the file does not have. */
export interface Columns {
  readonly timestamp: number;
  /** A time of day next to the date. */
  readonly time: number | null;
  readonly open: number | null;
  readonly high: number | null;
  readonly low: number | null;
  readonly close: number;
  readonly volume: number | null;
  /**
   * Another volume, for a file whose first one is zero throughout: MetaTrader counts ticks where it
   * knows no units.
   */
  readonly otherVolume: number | null;
}

export interface ColumnsFound {
  /** Null when there are questions. */
  readonly columns: Columns | null;
  readonly questions: readonly Question[];
  readonly notes: readonly string[];
}

/** Columns of exports that are ignored here. */
const SKIPPED: ReadonlySet<string> = new Set(
  "adj close,adjusted close,adj. close,change,change %,chg%,+/- %,% var.,var. %,var%,variation %,symbol,ticker,name,isin,currency,dividends,dividend,stock splits,capital gains,openint,open interest,spread,trades,tradecount,count,per".split(
    ",",
  ),
);
const ADJUSTED = new Set(["adj close", "adjusted close", "adj. close"]);
const MOMENTS: ReadonlySet<string> = new Set(NAMES_OF.timestamp);
const RANGE = ["open", "high", "low"] as const;

/** Max columns offered as the answer to a question. */
const OFFERED = 6;

/** Finds the columns by name, in any case and order. An ignored column may occur several times. */
export const findColumns = (
  header: readonly string[],
  form: Form | null,
  requested: RequestedColumns,
): ColumnsFound => {
  const names = header.map(plainName);
  const questions: Question[] = [];
  const notes: string[] = [];
  const found = new Map<Role, number | null>();
  const used = new Set<number>();
  const time = requested.has("timestamp") ? null : timeNextToDate(names);
  for (const role of ROLES) {
    const column = requested.get(role);
    const at =
      column === undefined
        ? role === "timestamp"
          ? findTimestamp(names, header, form, time, questions)
          : findNumber(role, names, header, questions)
        : requestedPosition(role, column, header, questions);
    found.set(role, at);
    if (at !== null) used.add(at);
  }
  if (time !== null) used.add(time);
  const unread = names.flatMap((name, at) =>
    used.has(at) || name === "" || SKIPPED.has(name) || MOMENTS.has(name) ? [] : [at],
  );
  const closeOnly = RANGE.every((field) => found.get(field) === null) && unread.length === 0;
  const lacking = NUMBER_FIELDS.filter(
    (field) => found.get(field) === null && !requested.has(field),
  );
  for (const field of lacking) {
    if (field === "volume" && (unread.length === 0 || form?.mayLack?.includes("volume") === true)) {
      notes.push("the file has no volume");
    } else if (field === "close" || field === "volume" || !closeOnly) {
      if (!isQuestioned(questions, field)) questions.push(missing(field, unread, header));
    }
  }
  if (closeOnly && found.get("close") !== null) notes.push("the file has closes only");
  const adjusted = names.findIndex((name) => ADJUSTED.has(name));
  if (adjusted !== -1 && !requested.has("close") && found.get("close") !== null)
    notes.push(
      `"${shorten(header[found.get("close") ?? 0] ?? "")}" is read as the close; columns=close:${adjusted + 1} reads "${shorten(header[adjusted] ?? "")}"`,
    );
  const [timestamp, close] = [found.get("timestamp") ?? null, found.get("close") ?? null];
  if (questions.length > 0 || timestamp === null || close === null)
    return { columns: null, questions, notes };
  const at = (field: NumberField): number | null => found.get(field) ?? null;
  const other = form?.id === "metatrader5" ? names.indexOf("tickvol") : -1;
  const columns = {
    timestamp,
    time,
    open: at("open"),
    high: at("high"),
    low: at("low"),
    close,
    volume: at("volume"),
    otherVolume: other === -1 || requested.has("volume") ? null : other,
  };
  return { columns, questions, notes };
};

const isQuestioned = (questions: readonly Question[], role: Role): boolean =>
  questions.some(({ question }) => question.includes(`"${role}"`));

const positionsOf = (names: readonly string[], name: string): number[] =>
  names.flatMap((one, at) => (one === name ? [at] : []));

/** The first of a role's names that the header has; a question when it has that name twice. */
const findNumber = (
  role: NumberField,
  names: readonly string[],
  header: readonly string[],
  questions: Question[],
): number | null => {
  const name = NAMES_OF[role].find((one) => names.includes(one));
  if (name === undefined) return null;
  const positions = positionsOf(names, name);
  if (positions.length > 1) questions.push(twice(role, positions, header));
  return positions[0] ?? null;
};

const findTimestamp = (
  names: readonly string[],
  header: readonly string[],
  form: Form | null,
  time: number | null,
  questions: Question[],
): number | null => {
  const known = NAMES_OF.timestamp.filter((name) => names.includes(name));
  if (known[0] === "timestamp" || known.length === 1 || (time !== null && known.length === 2)) {
    const name = known.find((one) => one === "timestamp" || one !== names[time ?? -1]) ?? "";
    const positions = positionsOf(names, name);
    if (positions.length > 1) questions.push(twice("timestamp", positions, header));
    return positions[0] ?? null;
  }
  if (known.length === 0) {
    if (form?.id === "pandas" || form?.id === "yfinance") return 0;
    questions.push({
      parameter: "columns",
      question: 'the column "timestamp" is missing (date, time and datetime are also accepted)',
      choices: [],
      otherwise: "add columns=timestamp: and the name or number of the column",
    });
    return null;
  }
  const places = known.flatMap((name) => positionsOf(names, name));
  const [one = "", other = ""] = known;
  questions.push({
    parameter: "columns",
    question: `both "${one}" and "${other}" could be the timestamp`,
    choices: offered("timestamp", places, header),
    otherwise: 'name the right column "timestamp"',
  });
  return null;
};

/** The time of day that belongs to a date in another column, when no column has both. */
const timeNextToDate = (names: readonly string[]): number | null => {
  if (names.some((name) => name === "timestamp" || name === "datetime" || name === "date time"))
    return null;
  const time = names.findIndex((name) => TIME_NAMES.includes(name));
  return time !== -1 && names.some(isDateName) ? time : null;
};

const offered = (role: Role, positions: readonly number[], header: readonly string[]): Choice[] =>
  positions.slice(0, OFFERED).map((at) => ({
    parameter: "columns",
    value: `${role}:${at + 1}`,
    means: `"${shorten(header[at] ?? "")}", column ${at + 1}`,
  }));

const twice = (role: Role, positions: readonly number[], header: readonly string[]): Question => ({
  parameter: "columns",
  question: `the column "${shorten((header[positions[0] ?? 0] ?? "").toLowerCase())}" appears more than once`,
  choices: offered(role, positions, header),
  otherwise: null,
});

const missing = (
  field: NumberField,
  unread: readonly number[],
  header: readonly string[],
): Question => ({
  parameter: "columns",
  question: `the column "${field}" is missing`,
  choices: header.length < 2 ? [] : [...offered(field, unread, header), ...withoutIt(field)],
  otherwise: unread.length === 0 || header.length < 2 ? `add a column named ${field}` : null,
});

/** Every value but the close may be unknown; of the range all three together. */
const withoutIt = (field: NumberField): Choice[] => {
  if (field === "close") return [];
  const value = field === "volume" ? "volume:none" : RANGE.map((one) => `${one}:none`).join(",");
  const means = field === "volume" ? "it is not known" : "closes only";
  return [{ parameter: "columns", value, means }];
};
