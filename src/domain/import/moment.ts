import { monthNamed } from "./months.ts";

/**
 * A time of day in milliseconds, and the offset from UTC written after it in minutes; null when
 * there is none.
 */
export interface WrittenTime {
  readonly ofDay: number;
  readonly offset: number | null;
}

/**
 * A moment as it is written, before its meaning is decided: a date whose parts are certain, one
 * whose day and month could change places, or a bare number. `time` is null for a date alone.
 */
export type Written =
  | {
      readonly kind: "date";
      readonly year: number;
      readonly month: number;
      readonly day: number;
      readonly time: WrittenTime | null;
    }
  | {
      readonly kind: "parts";
      /** In the order of the text; the last is the year, unless all have two digits. */
      readonly parts: readonly [number, number, number];
      readonly shortYear: boolean;
      /** With dots, as in 02.01.2024. */
      readonly dotted: boolean;
      readonly time: WrittenTime | null;
    }
  | { readonly kind: "number"; readonly value: number; readonly digits: number }
  | { readonly kind: "none"; readonly reason: string };

/** No moment that a person or a program writes is longer. */
export const MAX_TIMESTAMP_LENGTH = 64;

const YEAR_FIRST = /^(\d{4})([-/.])(\d{1,2})\2(\d{1,2})$/;
const YEAR_LAST = /^(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})$/;
const COMPACT = /^((?:19|20)\d{2})(\d{2})(\d{2})(?:[ T]?(\d{2})(\d{2})(\d{2})?)?$/;
const NUMBER = /^[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const TIME =
  /^(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)? ?([AaPp]\.?[Mm]\.?)? ?(Z|UTC|GMT|(?:UTC|GMT)?[+-]\d{2}(?::?\d{2})?)?$/;
/** Stooq's time of day: 000000, 153000, 1530. */
const COMPACT_TIME = /^(\d{2})(\d{2})(\d{2})?$/;

const MINUTE = 60_000;
/** No zone on earth is further from UTC than this. */
const MAX_OFFSET = 14 * 60;

const none = (reason: string): Written => ({ kind: "none", reason });

/** Parses a cell, with the time of day of the cell next to it where date and time are separate. */
export const readWritten = (cell: string, timeCell: string | null): Written => {
  if (cell.length > MAX_TIMESTAMP_LENGTH)
    return none(`is longer than ${MAX_TIMESTAMP_LENGTH} characters`);
  if (cell === "") return none("is empty");
  const compact = COMPACT.exec(cell);
  if (compact !== null) {
    const [, year, month, day, hour, minute, second] = compact;
    const time =
      hour === undefined ? null : timeOf(Number(hour), Number(minute), Number(second ?? 0), null);
    if (time !== "bad" && isInYear(Number(month), Number(day)))
      return beside(
        { kind: "date", year: Number(year), month: Number(month), day: Number(day), time },
        timeCell,
      );
  }
  if (NUMBER.test(cell))
    return {
      kind: "number",
      value: Number(cell),
      digits: cell.replace(/^[+-]|[.eE].*$/g, "").length,
    };
  const colon = cell.indexOf(":");
  let from = colon === -1 ? cell.length : colon;
  while (colon !== -1 && from > 0 && colon - from < 2 && isDigit(cell.charCodeAt(from - 1)))
    from -= 1;
  const time = colon === -1 ? null : readTime(cell.slice(from));
  if (typeof time === "string") return none(time);
  return beside(readDate(withoutJoint(cell.slice(0, from), colon !== -1), time), timeCell);
};

const isDigit = (code: number): boolean => code >= 48 && code <= 57;
const isInYear = (month: number, day: number): boolean =>
  month >= 1 && month <= 12 && day >= 1 && day <= 31;

/** The date without the T, comma or spaces that join it to its time. */
const withoutJoint = (text: string, joined: boolean): string => {
  const date = text.trimEnd();
  if (!joined) return date;
  return (date.endsWith("T") || date.endsWith(",") ? date.slice(0, -1) : date).trimEnd();
};

const beside = (written: Written, timeCell: string | null): Written => {
  if (timeCell === null || timeCell === "" || (written.kind !== "date" && written.kind !== "parts"))
    return written;
  if (written.time !== null) return none("has a time of day in two columns");
  if (timeCell.length > MAX_TIMESTAMP_LENGTH) return none("has a time of day that is too long");
  const [, hour, minute, second] = COMPACT_TIME.exec(timeCell) ?? [];
  const time =
    hour === undefined
      ? readTime(timeCell)
      : timeOf(Number(hour), Number(minute), Number(second ?? 0), null);
  if (time === "bad" || typeof time === "string")
    return none(`has "${timeCell.slice(0, 20)}" for its time of day`);
  return { ...written, time };
};

const readDate = (text: string, time: WrittenTime | null): Written => {
  const first = YEAR_FIRST.exec(text);
  if (first !== null)
    return {
      kind: "date",
      year: Number(first[1]),
      month: Number(first[3]),
      day: Number(first[4]),
      time,
    };
  const last = YEAR_LAST.exec(text);
  if (last !== null) {
    const parts = [Number(last[1]), Number(last[3]), Number(last[4])] as const;
    return {
      kind: "parts",
      parts,
      shortYear: last[4]?.length === 2,
      dotted: last[2] === ".",
      time,
    };
  }
  return readNamed(text, time) ?? none("is not a date or an instant");
};

/**
 * `Jan 02, 2024`, `02-Jan-24`, `2. Januar 2024`, `Tue Jan 02 2024`: the month has a name, so
 * nothing can change places.
 */
const readNamed = (text: string, time: WrittenTime | null): Written | null => {
  const words = text.split(/[ ,./-]+/, 6).filter((word) => word !== "");
  const months = words.flatMap((word, at) => {
    const month = /^\p{L}+$/u.test(word) ? monthNamed(word) : null;
    return month === null ? [] : [{ month, at }];
  });
  const numbers = words.filter((word) => /^\d{1,4}$/.test(word));
  const [named] = months;
  // One other word may be a weekday's name.
  if (named === undefined || months.length > 1 || numbers.length !== 2 || words.length > 4)
    return null;
  const [a = "", b = ""] = numbers;
  const [day, year] = a.length === 4 ? [b, a] : [a, b];
  if (day.length > 2 || (year.length !== 4 && year.length !== 2)) return null;
  return {
    kind: "date",
    year: fullYear(Number(year), year.length),
    month: named.month,
    day: Number(day),
    time,
  };
};

/** Two digits mean the years from 1970 to 2069. */
export const fullYear = (year: number, digits: number): number => {
  if (digits !== 2) return year;
  return year >= 70 ? 1900 + year : 2000 + year;
};

/** A time of day, or the reason why it is none. */
const readTime = (text: string): WrittenTime | string => {
  const match = TIME.exec(text);
  if (match === null) return "is not a date or an instant";
  const [, hours = "", minutes = "", seconds = "0", fraction = "", half = "", zone = ""] = match;
  let hour = Number(hours);
  if (half !== "") {
    if (hour < 1 || hour > 12) return "is not a time of day";
    hour = (hour % 12) + (half.toLowerCase().startsWith("p") ? 12 : 0);
  }
  const offset = zone === "" ? null : offsetOf(zone);
  if (offset === "bad") return "has an offset that no time zone has";
  const time = timeOf(hour, Number(minutes), Number(seconds), offset);
  if (time === "bad") return "is not a time of day";
  return { ...time, ofDay: time.ofDay + Math.trunc(Number(fraction.slice(0, 3).padEnd(3, "0"))) };
};

const timeOf = (
  hour: number,
  minute: number,
  second: number,
  offset: number | null,
): WrittenTime | "bad" => {
  if (hour > 23 || minute > 59 || second > 59) return "bad";
  return { ofDay: ((hour * 60 + minute) * 60 + second) * 1000, offset };
};

const offsetOf = (zone: string): number | "bad" => {
  const digits = zone.replace(/^(?:UTC|GMT)/, "").replace(":", "");
  if (digits === "" || digits === "Z") return 0;
  const minutes = Number(digits.slice(3, 5));
  const total = Number(digits.slice(1, 3)) * 60 + minutes;
  if (minutes > 59 || total > MAX_OFFSET) return "bad";
  return digits.startsWith("-") ? -total : total;
};

/**
 * Midnight of a date as if it were UTC (epoch ms), or null for one that the calendar does not have.
 */
export const midnightOf = (year: number, month: number, day: number): number | null => {
  if (month < 1 || month > 12 || day < 1) return null;
  if (year >= 100 && day <= 28) return Date.UTC(year, month - 1, day);
  const midnight = new Date(0);
  // Date.UTC would read the years 0 to 99 as 1900 to 1999.
  midnight.setUTCFullYear(year, month - 1, day);
  // An impossible date rolls over into the next month: 2021-02-30 becomes 2 March.
  return midnight.getUTCMonth() === month - 1 && midnight.getUTCDate() === day
    ? midnight.getTime()
    : null;
};

/** Milliseconds of an offset in minutes. */
export const offsetMs = (minutes: number): number => minutes * MINUTE;
