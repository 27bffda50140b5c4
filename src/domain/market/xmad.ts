import { dayOf, easterSunday, SATURDAY, SUNDAY, weekdayOf } from "./calendar-day.ts";
import { at, MONDAY_TO_FRIDAY, type TradingRules } from "./trading-rules.ts";

const EARLY_CLOSE = at(14);

/** True if 24 and 31 December were whole holidays. In other years they are short days. */
const takesEvesOff = (year: number): boolean => year <= 2010 || (year >= 2021 && year <= 2023);

/** Assumption was the one holiday that moved from a weekend to the Monday. */
const assumption = (year: number): number => {
  const day = dayOf(year, 8, 15);
  if (weekdayOf(day) === SATURDAY) return day + 2;
  return weekdayOf(day) === SUNDAY ? day + 1 : day;
};

const closures = (year: number): ReadonlySet<number> => {
  const days = new Set([
    dayOf(year, 1, 1),
    easterSunday(year) - 2,
    easterSunday(year) + 1,
    dayOf(year, 5, 1),
    dayOf(year, 12, 25),
    dayOf(year, 12, 26),
  ]);
  if (year <= 2006) days.add(dayOf(year, 1, 6)); // Epiphany
  if (year <= 2004) {
    days.add(assumption(year));
    days.add(dayOf(year, 10, 12)); // National Day
    days.add(dayOf(year, 11, 1)); // All Saints
    days.add(dayOf(year, 12, 6)); // Constitution
    days.add(dayOf(year, 12, 8)); // Immaculate Conception
  }
  if (takesEvesOff(year)) {
    days.add(dayOf(year, 12, 24));
    days.add(dayOf(year, 12, 31));
  }
  return days;
};

// In the years that take the eves off, the closure wins.
const earlyCloses = (year: number): ReadonlyMap<number, number> =>
  new Map([24, 31].map((dayOfMonth) => [dayOf(year, 12, dayOfMonth), EARLY_CLOSE]));

/**
 * The Madrid exchange (BME), from 1990 on. A holiday on a weekend is not made up for.
 * Source: exchange_calendars (Apache-2.0). The hours are today's.
 */
export const XMAD: TradingRules = {
  zone: "Europe/Madrid",
  opensAt: at(9),
  closesAt: at(17, 30),
  weekdays: MONDAY_TO_FRIDAY,
  closures,
  earlyCloses,
};
