/**
 * A moment as written by people and programs. `ambiguous` means that the text has more than one
 * reading: then the whole file is in doubt, because the rows that could be read may have been read
 * wrongly.
 */
export type TimestampReading =
  | { readonly kind: "instant"; readonly instant: number }
  | { readonly kind: "ambiguous" | "invalid"; readonly reason: string };

const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;
const INSTANT =
  /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,3}))?)?(Z|[+-]\d{2}:\d{2})$/;
const WITHOUT_ZONE = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?$/;
const DAY_OR_MONTH_FIRST = /^\d{1,4}([/.])\d{1,2}\1\d{1,4}(\D|$)|^\d{1,2}-\d{1,2}-\d{2,4}(\D|$)/;
const BARE_NUMBER = /^[+-]?\d+(\.\d+)?([eE][+-]?\d+)?$/;

/** No zone on earth is further from UTC than this. */
const MAX_OFFSET_MINUTES = 14 * 60;
const MINUTE = 60_000;

const USE = "use YYYY-MM-DD, or an instant such as 2024-03-01T14:30:00Z";

/** Epoch milliseconds of a date (00:00 UTC) or of an instant with a zone. Nothing is guessed. */
export const readTimestamp = (text: string): TimestampReading => {
  const date = DATE.exec(text);
  if (date !== null) return fromParts(date);
  const instant = INSTANT.exec(text);
  if (instant !== null) return fromParts(instant);
  if (text === "") return invalid("is empty");
  if (WITHOUT_ZONE.test(text))
    return invalid("has no time zone: add Z for UTC, or an offset such as -05:00");
  if (DAY_OR_MONTH_FIRST.test(text))
    return ambiguous(`does not show which part is the day: ${USE}`);
  if (BARE_NUMBER.test(text))
    return ambiguous(`is a bare number, whose unit and origin are not known: ${USE}`);
  return invalid(`is not a date or an instant: ${USE}`);
};

const fromParts = (match: RegExpExecArray): TimestampReading => {
  const month = Number(match[2]);
  const day = Number(match[3]);
  const midnight = new Date(0);
  // Date.UTC would read the years 0 to 99 as 1900 to 1999.
  midnight.setUTCFullYear(Number(match[1]), month - 1, day);
  // An impossible date rolls over into the next month: 2021-02-30 becomes 2 March.
  if (midnight.getUTCMonth() !== month - 1 || midnight.getUTCDate() !== day)
    return invalid("is not in the calendar");
  const hour = Number(match[4] ?? 0);
  const minute = Number(match[5] ?? 0);
  const second = Number(match[6] ?? 0);
  if (hour > 23 || minute > 59 || second > 59) return invalid("is not a time of day");
  const offset = offsetMinutes(match[8] ?? "Z");
  if (offset === null) return invalid("has an offset that no time zone has");
  const ofDay =
    ((hour * 60 + minute) * 60 + second) * 1000 + Number((match[7] ?? "").padEnd(3, "0"));
  return { kind: "instant", instant: midnight.getTime() + ofDay - offset * MINUTE };
};

const offsetMinutes = (zone: string): number | null => {
  if (zone === "Z") return 0;
  const minutes = Number(zone.slice(4, 6));
  const total = Number(zone.slice(1, 3)) * 60 + minutes;
  if (minutes > 59 || total > MAX_OFFSET_MINUTES) return null;
  return zone.startsWith("-") ? -total : total;
};

const invalid = (reason: string): TimestampReading => ({ kind: "invalid", reason });
const ambiguous = (reason: string): TimestampReading => ({ kind: "ambiguous", reason });
