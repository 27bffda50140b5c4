/**
 * The trading calendars, by the id the API uses: XNYS (NYSE and NASDAQ), XLON (London) and XMAD
 * (Madrid) by their ISO 10383 codes, CRYPTO (never closes) and FX (the New York week).
 */
export const CALENDAR_IDS = ["XNYS", "XLON", "XMAD", "CRYPTO", "FX"] as const;

export type CalendarId = (typeof CALENDAR_IDS)[number];

export const isCalendarId = (text: string): text is CalendarId =>
  (CALENDAR_IDS as readonly string[]).includes(text);
