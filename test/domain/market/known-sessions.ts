import { type Session, sessionsBetween } from "../../../src/domain/market/calendar.ts";
import type { CalendarId } from "../../../src/domain/market/calendar-id.ts";

/** The sessions of a span that is within the calendar's range. */
export const knownSessions = (
  calendarId: CalendarId,
  from: string,
  to: string,
): readonly Session[] => {
  const answer = sessionsBetween(calendarId, from, to);
  if (answer.kind === "refused") throw new Error(answer.reason);
  return answer.sessions;
};

/** Mondays to Fridays of a year without a session, as `MM-DD`. */
export const weekdaysClosed = (calendarId: CalendarId, year: number): readonly string[] => {
  const open = new Set(
    knownSessions(calendarId, `${year}-01-01`, `${year}-12-31`).map(({ date }) => date),
  );
  const closed: string[] = [];
  for (let day = Date.UTC(year, 0, 1); day < Date.UTC(year + 1, 0, 1); day += 86_400_000) {
    const weekday = new Date(day).getUTCDay();
    const date = new Date(day).toISOString().slice(0, 10);
    if (weekday !== 0 && weekday !== 6 && !open.has(date)) closed.push(date.slice(5));
  }
  return closed;
};

/** The short days of a year as `MM-DD`. */
export const shortDays = (calendarId: CalendarId, year: number): readonly string[] =>
  knownSessions(calendarId, `${year}-01-01`, `${year}-12-31`)
    .filter(({ early }) => early)
    .map(({ date }) => date.slice(5));

/** An instant as people write it in UTC, to the minute. */
export const utc = (instant: number): string =>
  new Date(instant).toISOString().slice(0, 16).replace("T", " ");
