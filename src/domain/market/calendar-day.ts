import { isoDay } from "../iso.ts";

/**
 * Days are counted from 1970-01-01, so that calendar rules are plain integer arithmetic and never
 * meet a time zone.
 */
export const MILLISECONDS_PER_DAY = 86_400_000;

export const SUNDAY = 0;
export const MONDAY = 1;
export const TUESDAY = 2;
export const WEDNESDAY = 3;
export const THURSDAY = 4;
export const FRIDAY = 5;
export const SATURDAY = 6;

/** The day number of a date; `month` is 1 for January. */
export const dayOf = (year: number, month: number, dayOfMonth: number): number =>
  Date.UTC(year, month - 1, dayOfMonth) / MILLISECONDS_PER_DAY;

/** The day number on whose UTC date an instant (epoch ms) falls. */
export const utcDayOf = (instant: number): number => Math.floor(instant / MILLISECONDS_PER_DAY);

/** 0 for Sunday … 6 for Saturday. Day 0 was a Thursday. */
export const weekdayOf = (day: number): number => (((day + THURSDAY) % 7) + 7) % 7;

export const isWeekend = (day: number): boolean =>
  weekdayOf(day) === SATURDAY || weekdayOf(day) === SUNDAY;

export const yearOf = (day: number): number =>
  new Date(day * MILLISECONDS_PER_DAY).getUTCFullYear();

/** `YYYY-MM-DD`. */
export const isoDateOf = (day: number): string => isoDay(day * MILLISECONDS_PER_DAY);

/** The day number of a `YYYY-MM-DD` date, or null when it is not one (2023-02-29, 2023-2-1). */
export const parseIsoDate = (text: string): number | null => {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (match === null) return null;
  const day = dayOf(Number(match[1]), Number(match[2]), Number(match[3]));
  return isoDateOf(day) === text ? day : null;
};

/**
 * The day numbers of the dates in a rule table. A date that does not exist there is a mistake in
 * the table.
 */
export const daysOf = (dates: readonly string[]): readonly number[] =>
  dates.map((date) => {
    const day = parseIsoDate(date);
    if (day === null) throw new RangeError(`The calendar table holds ${date}, which is not a date`);
    return day;
  });

/** The n-th Monday, Tuesday … of a month; n counts from 1. */
export const nthWeekday = (year: number, month: number, weekday: number, n: number): number => {
  const first = dayOf(year, month, 1);
  return first + ((weekday - weekdayOf(first) + 7) % 7) + 7 * (n - 1);
};

/** The last Monday, Tuesday … of a month. */
export const lastWeekday = (year: number, month: number, weekday: number): number => {
  const last = dayOf(year, month + 1, 1) - 1;
  return last - ((weekdayOf(last) - weekday + 7) % 7);
};

/**
 * Easter Sunday of the Gregorian calendar, by the "anonymous" algorithm of 1876 (Meeus,
 * Astronomical Algorithms, chapter 8), whose letters it keeps.
 */
export const easterSunday = (year: number): number => {
  const a = year % 19;
  const b = Math.floor(year / 100);
  const c = year % 100;
  const d = Math.floor(b / 4);
  const e = b % 4;
  const f = Math.floor((b + 8) / 25);
  const g = Math.floor((b - f + 1) / 3);
  const h = (19 * a + b - d - g + 15) % 30;
  const i = Math.floor(c / 4);
  const k = c % 4;
  const l = (32 + 2 * e + 2 * i - h - k) % 7;
  const m = Math.floor((a + 11 * h + 22 * l) / 451);
  const n = h + l - 7 * m + 114;
  return dayOf(year, Math.floor(n / 31), (n % 31) + 1);
};
