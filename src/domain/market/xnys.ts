import {
  dayOf,
  daysOf,
  easterSunday,
  lastWeekday,
  MONDAY,
  nthWeekday,
  SATURDAY,
  SUNDAY,
  THURSDAY,
  TUESDAY,
  WEDNESDAY,
  weekdayOf,
} from "./calendar-day.ts";
import { at, MONDAY_TO_FRIDAY, type TradingRules } from "./trading-rules.ts";

const EARLY_CLOSE = at(13);
/** Until 1992 the short days before holidays ended an hour later. */
const EARLY_CLOSE_BEFORE_1993 = at(14);

/**
 * Days of mourning for Nixon, Reagan, Ford, Bush and Carter; 11 September 2001; hurricane Sandy.
 */
const AD_HOC_CLOSURES = daysOf([
  "1994-04-27",
  "2001-09-11",
  "2001-09-12",
  "2001-09-13",
  "2001-09-14",
  "2004-06-11",
  "2007-01-02",
  "2012-10-29",
  "2012-10-30",
  "2018-12-05",
  "2025-01-09",
]);

const AD_HOC_EARLY_CLOSES = daysOf(["1997-12-26", "1999-12-31", "2003-12-26"]);

const nearestWorkday = (day: number): number => {
  if (weekdayOf(day) === SATURDAY) return day - 1;
  return weekdayOf(day) === SUNDAY ? day + 1 : day;
};

/** A New Year on a Saturday is not made up for: the Friday belongs to the old year's books. */
const newYear = (year: number): number => {
  const day = dayOf(year, 1, 1);
  return weekdayOf(day) === SUNDAY ? day + 1 : day;
};

const thanksgiving = (year: number): number => nthWeekday(year, 11, THURSDAY, 4);

const closures = (year: number): ReadonlySet<number> => {
  const days = new Set([
    ...AD_HOC_CLOSURES,
    newYear(year),
    nthWeekday(year, 2, MONDAY, 3),
    easterSunday(year) - 2,
    lastWeekday(year, 5, MONDAY),
    nearestWorkday(dayOf(year, 7, 4)),
    nthWeekday(year, 9, MONDAY, 1),
    thanksgiving(year),
    nearestWorkday(dayOf(year, 12, 25)),
  ]);
  if (year >= 1998) days.add(nthWeekday(year, 1, MONDAY, 3)); // Martin Luther King
  if (year >= 2022) days.add(nearestWorkday(dayOf(year, 6, 19))); // Juneteenth
  return days;
};

/**
 * The short day next to Independence Day. When the 4th was a Thursday it was the 5th, and is the
 * 3rd since 2013.
 */
const nextToIndependenceDay = (year: number): number | null => {
  const third = dayOf(year, 7, 3);
  const weekday = weekdayOf(third);
  if (year < 1995) return null;
  if (weekday === MONDAY || weekday === TUESDAY || weekday === THURSDAY) return third;
  if (weekday === WEDNESDAY) return year >= 2013 ? third : third + 2;
  return null;
};

const earlyCloses = (year: number): ReadonlyMap<number, number> => {
  const close = year >= 1993 ? EARLY_CLOSE : EARLY_CLOSE_BEFORE_1993;
  const days = new Map(AD_HOC_EARLY_CLOSES.map((day) => [day, EARLY_CLOSE]));
  const july = nextToIndependenceDay(year);
  if (july !== null) days.set(july, close);
  if (year >= 1992) days.set(thanksgiving(year) + 1, close);
  days.set(dayOf(year, 12, 24), close); // a Friday is Christmas itself, observed, and a closure
  return days;
};

/**
 * NYSE and NASDAQ, scheduled hours from 1990 on. Source: exchange_calendars (Apache-2.0), which
 * rests on the exchange's own list of closings. Trading halts and late openings for weather are not
 * in it: the session's date and its scheduled end stay the same.
 */
export const XNYS: TradingRules = {
  zone: "America/New_York",
  opensAt: at(9, 30),
  closesAt: at(16),
  weekdays: MONDAY_TO_FRIDAY,
  closures,
  earlyCloses,
};
