import { placeName, shorten } from "../asset/row-error.ts";
import { clockOf } from "../market/calendar.ts";
import { isoDateOf, MILLISECONDS_PER_DAY, utcDayOf } from "../market/calendar-day.ts";
import type { CalendarId } from "../market/calendar-id.ts";
import type { Resolution } from "../market/resolution.ts";
import { isIntraday } from "../market/session-slots.ts";
import { type ZoneClock, zoneClock } from "../market/zone-time.ts";
import { type DateForm, instantOfNumber, midnightIn, type WrittenRow } from "./date-form.ts";
import { midnightOf, offsetMs, type Written, type WrittenTime } from "./moment.ts";
import type { Question } from "./question.ts";

export interface ClockRules {
  readonly resolution: Resolution;
  readonly calendar: CalendarId;
  readonly dates: DateForm;
  /**
   * The zone of times without one: the sender's answer, or else the zone of the recognised export.
   */
  readonly zone: string | null;
  /**
   * True if the sender named the zone. Then it also gives the dates of moments that carry an
   * offset.
   */
  readonly zoneSaid: boolean;
}

/**
 * The moments of a file's rows, epoch ms, or the reason why a row has none; null where a question
 * is open. Rows of days, weeks and months that spell a date have its midnight, UTC.
 */
export interface Instants {
  readonly instants: readonly (number | string | null)[];
  readonly questions: readonly Question[];
}

/** Between these, clocks are known well enough; later checks refuse other dates. */
const FIRST = Date.UTC(1900, 0, 1);
const LAST = Date.UTC(2100, 0, 1);
const MINUTE = 60_000;
/** Day and month changed places move a date by less. */
const YEAR = 366 * MILLISECONDS_PER_DAY;

/**
 * An hour after the close: a daily bar's stamp of the evening is rather the next day's midnight of
 * another clock.
 */
const EVENING_AFTER = 60;

export const instantsOf = (rows: readonly WrittenRow[], rules: ClockRules): Instants => {
  const dated = !isIntraday(rules.resolution);
  const { zone } = rules;
  const clock = zone === null ? null : whenAsked(() => clockFor(rows, zone));
  const market = whenAsked(() => clockFor(rows, clockOf(rules.calendar).zone));
  let unzoned: WrittenRow | null = null;
  let evening: WrittenRow | null = null;
  const instants = rows.map((row): number | string | null => {
    const read = readRow(row.written, rules.dates);
    if (read === null || typeof read === "string") return read;
    const { midnight, time } = read;
    if (time === null) return midnight;
    const isMidnight = time.ofDay === 0;
    // A midnight, with whatever offset, means the day.
    if (dated && isMidnight && !time.isInstant) return midnight;
    if (time.offset === null) {
      if (clock === null) {
        unzoned ??= row;
        return null;
      }
      return dated && rules.calendar !== "FX" ? midnight : clock().instantOf(midnight + time.ofDay);
    }
    const instant = midnight + time.ofDay - offsetMs(time.offset);
    if (!dated || instant % MILLISECONDS_PER_DAY === 0) return instant;
    if (clock !== null && rules.zoneSaid) return dayOnClock(clock(), instant, rules.calendar);
    if (evening === null && isEvening(market, instant, rules.calendar)) evening = row;
    return instant;
  });
  const questions: Question[] = [];
  if (unzoned !== null) questions.push(askZone(unzoned, rules.calendar));
  if (evening !== null) questions.push(askEvening(evening, rules.calendar, market()));
  return { instants, questions };
};

/**
 * Finding a zone's changes of offset takes hundreds of calls of the platform, and many files need
 * no zone.
 */
const whenAsked = <T>(make: () => T): (() => T) => {
  let made: { readonly value: T } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
};

/** A zone's clock over the years of the rows. */
const clockFor = (rows: readonly WrittenRow[], zone: string): ZoneClock => {
  let first = LAST;
  let last = FIRST;
  for (const { written } of rows) {
    const about = roughMoment(written, { order: "DMY", numbers: "epoch" });
    if (about === null || about < FIRST || about > LAST) continue;
    first = Math.min(first, about);
    last = Math.max(last, about);
  }
  const from = Math.max(FIRST, Math.floor(first / MINUTE) * MINUTE - YEAR);
  return zoneClock(zone, Math.min(from, last), Math.min(LAST, last + YEAR));
};

/** A moment without its zone: good enough to measure the distance of rows. */
export const roughMoment = (written: Written, dates: DateForm): number | null => {
  const read = readRow(written, dates);
  if (read === null || typeof read === "string") return null;
  return (
    read.midnight + (read.time === null ? 0 : read.time.ofDay - offsetMs(read.time.offset ?? 0))
  );
};

/**
 * A date's midnight as if it were UTC, and the time of day after it. `isInstant` for counts since
 * 1970.
 */
interface ReadMoment {
  readonly midnight: number;
  readonly time: (WrittenTime & { readonly isInstant: boolean }) | null;
}

/** Null where a question is open; a reason where no answer would help. */
const readRow = (written: Written, dates: DateForm): ReadMoment | string | null => {
  switch (written.kind) {
    case "none":
      return written.reason;
    case "number":
      return dates.numbers === null ? null : readNumber(written, dates.numbers);
    case "date":
    case "parts": {
      if (written.kind === "parts" && dates.order === null) return null;
      const midnight =
        written.kind === "date"
          ? midnightOf(written.year, written.month, written.day)
          : midnightIn(written, dates.order ?? "DMY");
      if (midnight === null) return "is not in the calendar";
      return {
        midnight,
        time: written.time === null ? null : { ...written.time, isInstant: false },
      };
    }
  }
};

const readNumber = (
  written: Extract<Written, { kind: "number" }>,
  numbers: "epoch" | "excel",
): ReadMoment | string => {
  const moment = instantOfNumber(written, numbers);
  if (moment === null) return "is not a moment";
  const midnight = utcDayOf(moment) * MILLISECONDS_PER_DAY;
  const ofDay = moment - midnight;
  if (numbers === "excel")
    return { midnight, time: ofDay === 0 ? null : { ofDay, offset: null, isInstant: false } };
  return { midnight, time: { ofDay, offset: 0, isInstant: true } };
};

const dayOnClock = (clock: ZoneClock, instant: number, calendar: CalendarId): number => {
  const midnight = utcDayOf(clock.readingAt(instant)) * MILLISECONDS_PER_DAY;
  // A day of foreign exchange begins on the evening before; only a midnight spells a date there.
  return calendar === "FX" && clock.readingAt(instant) !== midnight ? instant : midnight;
};

const isEvening = (market: () => ZoneClock, instant: number, calendar: CalendarId): boolean => {
  if (calendar === "FX" || calendar === "CRYPTO") return false;
  const reading = market().readingAt(instant);
  const minutes = (reading - utcDayOf(reading) * MILLISECONDS_PER_DAY) / MINUTE;
  return minutes >= clockOf(calendar).closesAt + EVENING_AFTER;
};

const askZone = (row: WrittenRow, calendar: CalendarId): Question => {
  const { zone } = clockOf(calendar);
  return {
    parameter: "timeZone",
    question: `${placeName(row)}: the timestamp "${shorten(row.text)}" has no time zone`,
    choices: [
      ...(zone === "UTC"
        ? []
        : [{ parameter: "timeZone" as const, value: zone, means: "the market's own clock" }]),
      { parameter: "timeZone", value: "UTC", means: "UTC" },
    ],
    otherwise: "give another IANA zone, or add Z for UTC, or an offset such as -05:00",
  };
};

const askEvening = (row: WrittenRow, calendar: CalendarId, market: ZoneClock): Question => {
  const { zone } = clockOf(calendar);
  const instant = roughMoment(row.written, { order: "DMY", numbers: "epoch" });
  const shown = instant === null ? "" : isoDateOf(utcDayOf(market.readingAt(instant)));
  return {
    parameter: "timeZone",
    question: `${placeName(row)}: the timestamp "${shorten(row.text)}" is an evening in ${zone}, after that day's session, and may be the midnight of the next day on another clock`,
    choices: [{ parameter: "timeZone", value: zone, means: `the day is ${shown}` }],
    otherwise:
      "give the IANA zone of these midnights, such as timeZone=Europe/Berlin, or write dates",
  };
};
