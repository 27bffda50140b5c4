import * as z from "zod";
import { isoDay } from "../domain/iso.ts";
import { MILLISECONDS_PER_DAY } from "../domain/market/calendar-day.ts";
import { decimal } from "./decimal.ts";
import { refusal } from "./price-source.ts";
import { tiingoTicker } from "./symbols.ts";
import { addressOf, malformed, type Rows, unaddressed, unserved, type Vendor } from "./vendor.ts";
import type { ReportedAction } from "./vendor-actions.ts";
import type { StampedBar } from "./vendor-bars.ts";
import { firstWindow } from "./window.ts";

const EARLIEST = Date.UTC(1962, 0, 1);

const day = z.object({
  /** A midnight at whatever offset it is written with: it spells a date. */
  date: z.iso.datetime({ offset: true }).transform((text) => Date.parse(text.slice(0, 10))),
  open: decimal.nullable(),
  high: decimal.nullable(),
  low: decimal.nullable(),
  close: decimal.nullable(),
  volume: decimal.nullish(),
  splitFactor: decimal.nullish(),
  /** Parsed separately: a broken one costs no bar. */
  divCash: z.unknown().optional(),
});

type Day = z.infer<typeof day>;

const complaint = z.object({ detail: z.string() });

/**
 * Tiingo's end-of-day prices. They come as they were traded; here they are adjusted for the splits
 * that lie in the answer, dividends too, as Yahoo's are, so that a split is no crash. The whole
 * history is one answer, so no split lies between two.
 */
export const TIINGO: Vendor = {
  name: "tiingo",
  gapMs: 1_000,
  limits: "free: 50 requests an hour, 1,000 a day, 500 symbols a month; United States, daily",
  needsKey: true,
  question: (request, { baseUrl, key }) => {
    if (key === "") return refusal("NotConfigured", "tiingo needs TIINGO_API_KEY");
    if (request.resolution !== "1d") return unserved("tiingo", `bars of ${request.resolution}`);
    const ticker = tiingoTicker(request);
    if (ticker === null || request.currency !== "USD")
      return unserved(
        "tiingo",
        `${request.symbol} (${request.type}, ${request.calendar}, ${request.currency})`,
      );
    const window = firstWindow(request, EARLIEST, Number.POSITIVE_INFINITY);
    if (window === null) return refusal("NoData", "tiingo has no bars of that time");
    const url = addressOf(baseUrl, `/tiingo/daily/${encodeURIComponent(ticker)}/prices`, {
      startDate: isoDay(window.from),
      endDate: isoDay(window.to),
      format: "json",
    });
    // In a header, so that no log of addresses has it.
    const headers = { authorization: `Token ${key}` };
    return url === null ? unaddressed("tiingo") : { url, window, headers };
  },
  trouble: (body, status) => {
    const parsed = complaint.safeParse(body);
    if (!parsed.success) return null;
    // The limits of an hour, a day and a month come with 429, and once came with 200.
    if (/allocation|symbol look/i.test(parsed.data.detail))
      return {
        ...refusal("RateLimited", "the allocation at tiingo is used up"),
        retryAfterSeconds: 3_600,
      };
    if (status === 404) return refusal("UnknownSymbol", "tiingo does not know the ticker");
    return status === 200 ? refusal("MalformedPayload", "tiingo did not take the question") : null;
  },
  rows: (body) => {
    const parsed = z.array(day).safeParse(body);
    if (!parsed.success) return malformed("tiingo");
    if (parsed.data.length === 0) return "nothing";
    if (parsed.data.some(({ splitFactor }) => splitFactor != null && !(splitFactor > 0)))
      return malformed("tiingo", "splitFactor");
    return adjusted(parsed.data);
  },
};

/**
 * From the newest back: prices before a split of 4 to 1 count a quarter, and the volume four times.
 */
function adjusted(days: readonly Day[]): Rows {
  const rows: StampedBar[] = [];
  const actions: ReportedAction[] = [];
  let by = 1;
  for (const day of days.toSorted((a, b) => b.date - a.date)) {
    const { date: timestamp, open, high, low, close, volume } = day;
    actions.push(...actionsOn(day, by));
    if (open !== null && high !== null && low !== null && close !== null)
      rows.push({
        timestamp,
        open: open / by,
        high: high / by,
        low: low / by,
        close: close / by,
        volume: volume == null ? null : volume * by,
      });
    by *= day.splitFactor ?? 1;
  }
  return { rows, actions };
}

/** Every day has 0 and 1 where there was no action. */
function actionsOn({ date, splitFactor, divCash }: Day, by: number): ReportedAction[] {
  const exDate = date - (date % MILLISECONDS_PER_DAY);
  const reported: ReportedAction[] = [];
  const cash = decimal.nullish().safeParse(divCash);
  if (!cash.success) reported.push(null);
  else if ((cash.data ?? 0) !== 0)
    reported.push({ type: "dividend", exDate, amount: (cash.data ?? 0) / by });
  const shares = splitFactor ?? 1;
  const merged = shares < 1;
  if (shares !== 1)
    reported.push({
      type: "split",
      exDate,
      numerator: merged ? 1 : shares,
      denominator: merged ? 1 / shares : 1,
    });
  return reported;
}
