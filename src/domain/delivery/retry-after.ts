/** The longest wait that Retry-After can ask for; a longer one counts as this. */
export const MAX_RETRY_AFTER_SECONDS = 86_400;

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const MONTH = `(?<month>${MONTHS.join("|")})`;
const TIME = "(?<hour>\\d\\d):(?<minute>\\d\\d):(?<second>\\d\\d)";
const DAY_NAME = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)";
const LONG_DAY_NAME = "(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day";

/**
 * The three forms of an HTTP date: IMF-fixdate, and the two obsolete ones that a recipient must
 * still read.
 */
const HTTP_DATES = [
  new RegExp(`^${DAY_NAME}, (?<day>\\d\\d) ${MONTH} (?<year>\\d{4}) ${TIME} GMT$`),
  new RegExp(`^${LONG_DAY_NAME}, (?<day>\\d\\d)-${MONTH}-(?<year>\\d\\d) ${TIME} GMT$`),
  new RegExp(`^${DAY_NAME} ${MONTH} (?<day>[ \\d]\\d) ${TIME} (?<year>\\d{4})$`),
];

/** A longer header is no date, but may be digits. */
const MAX_DATE_LENGTH = 40;

/**
 * The wait of a Retry-After header, in whole seconds from `now` (epoch ms): 0 to
 * MAX_RETRY_AFTER_SECONDS, or null when it is absent or neither a number of seconds nor an HTTP
 * date. A date in the past gives 0.
 * @see https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 */
export function retryAfterSeconds(header: string | null | undefined, now: number): number | null {
  const text = header?.trim() ?? "";
  if (/^\d+$/.test(text)) return capped(Number(text));
  const date = httpDate(text, now);
  return date === null ? null : capped(Math.ceil((date - now) / 1000));
}

const capped = (seconds: number): number => Math.min(MAX_RETRY_AFTER_SECONDS, Math.max(0, seconds));

/**
 * The instant of an HTTP date in epoch ms; null for anything else, whatever `Date.parse` would make
 * of it.
 */
function httpDate(text: string, now: number): number | null {
  if (text.length > MAX_DATE_LENGTH) return null;
  const parts = HTTP_DATES.map((form) => form.exec(text)?.groups).find(
    (groups) => groups !== undefined,
  );
  if (parts === undefined) return null;
  const month = MONTHS.indexOf(parts["month"] ?? "");
  const [day, hour, minute, second] = ["day", "hour", "minute", "second"].map((name) =>
    Number(parts[name]),
  );
  if (day === undefined || hour === undefined || minute === undefined || second === undefined)
    return null;
  if (hour > 23 || minute > 59 || second > 60) return null;
  const year = fullYear(parts["year"] ?? "", now);
  const date = new Date(Date.UTC(year, month, day, hour, minute, second));
  // The 31st of a month that has none is no date. A leap second may lead into the next day.
  const written = new Date(Date.UTC(year, month, day));
  return written.getUTCMonth() === month && written.getUTCDate() === day ? date.getTime() : null;
}

/** Two digits are the year with those digits that is at most 50 years ahead. */
function fullYear(digits: string, now: number): number {
  if (digits.length === 4) return Number(digits);
  const thisYear = new Date(now).getUTCFullYear();
  const year = thisYear - (thisYear % 100) + Number(digits);
  return year > thisYear + 50 ? year - 100 : year;
}
