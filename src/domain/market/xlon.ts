import {
  dayOf,
  daysOf,
  easterSunday,
  isWeekend,
  lastWeekday,
  MONDAY,
  nthWeekday,
} from "./calendar-day.ts";
import { at, MONDAY_TO_FRIDAY, type TradingRules } from "./trading-rules.ts";

const EARLY_CLOSE = at(12, 30);

/**
 * Millennium eve, jubilees, a royal wedding, a state funeral, a coronation; and bank holidays moved
 * to meet them.
 */
const AD_HOC_CLOSURES = daysOf([
  "1995-05-08",
  "1999-12-31",
  "2002-06-03",
  "2002-06-04",
  "2011-04-29",
  "2012-06-04",
  "2012-06-05",
  "2020-05-08",
  "2022-06-02",
  "2022-06-03",
  "2022-09-19",
  "2023-05-08",
]);

/** Years in which the early May holiday moved to 8 May, the anniversary of VE day. */
const EARLY_MAY_MOVED: ReadonlySet<number> = new Set([1995, 2020]);
/** Years in which the spring holiday moved into June, next to a jubilee. */
const SPRING_MOVED: ReadonlySet<number> = new Set([2002, 2012, 2022]);

/** The date itself, or the Monday after when it is a weekend. */
const onOrAfter = (day: number): number => {
  let working = day;
  while (isWeekend(working)) working += 1;
  return working;
};

/** The date itself, or the Friday before when it is a weekend. */
const onOrBefore = (day: number): number => {
  let working = day;
  while (isWeekend(working)) working -= 1;
  return working;
};

const closures = (year: number): ReadonlySet<number> => {
  const christmas = dayOf(year, 12, 25);
  const boxing = dayOf(year, 12, 26);
  const days = new Set([
    ...AD_HOC_CLOSURES,
    onOrAfter(dayOf(year, 1, 1)),
    easterSunday(year) - 2,
    easterSunday(year) + 1,
    lastWeekday(year, 8, MONDAY),
    christmas,
    boxing,
  ]);
  // Each of the two moves two days on, so that a pair on a weekend becomes Monday and Tuesday and
  // never one day.
  if (isWeekend(christmas)) days.add(christmas + 2);
  if (isWeekend(boxing)) days.add(boxing + 2);
  if (!EARLY_MAY_MOVED.has(year)) days.add(nthWeekday(year, 5, MONDAY, 1));
  if (!SPRING_MOVED.has(year)) days.add(lastWeekday(year, 5, MONDAY));
  return days;
};

const earlyCloses = (year: number): ReadonlyMap<number, number> =>
  new Map([24, 31].map((dayOfMonth) => [onOrBefore(dayOf(year, 12, dayOfMonth)), EARLY_CLOSE]));

/**
 * The London Stock Exchange: the holidays of England and Wales, from 1990 on. Source:
 * exchange_calendars (Apache-2.0). The hours are those since 2000; before, the day began and ended
 * at other times.
 */
export const XLON: TradingRules = {
  zone: "Europe/London",
  opensAt: at(8),
  closesAt: at(16, 30),
  weekdays: MONDAY_TO_FRIDAY,
  closures,
  earlyCloses,
};
