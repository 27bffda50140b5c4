import type { BarRow } from "../asset/read-bar.ts";
import type { RowError } from "../asset/row-error.ts";
import type { CalendarId } from "../market/calendar-id.ts";
import type { Resolution } from "../market/resolution.ts";
import type { Answers, DateFormat, DecimalMark, Question, WeekDate } from "./question.ts";

export interface FileRules {
  readonly maxRows: number;
  readonly calendar: CalendarId;
  /** Currency of the prices; absent where the file was checked against it before. */
  readonly currency?: string;
  readonly answers: Answers;
}

/** The recognised format; null for parts that are unknown, or not known yet. */
export interface Recognised {
  readonly form: { readonly id: string; readonly name: string } | null;
  readonly delimiter: string | null;
  /** The line of the header, counted from 1; null for a file without one. */
  readonly headerRow: number | null;
  /** Name of each of our columns in the file; its position from 1 where it has no name. */
  readonly columns: Readonly<Record<string, string>>;
  /** Format of its dates; `named` for months with names. */
  readonly dateFormat: DateFormat | "named" | null;
  readonly decimal: DecimalMark | null;
  readonly thousands: readonly string[];
  readonly currencySigns: readonly string[];
  readonly volumeSuffixes: readonly string[];
  /** Assumed resolution of the rows, and the resolution by their spacing. */
  readonly resolution: Resolution;
  readonly spacing: Resolution | null;
  /** The zone of its times of day; `written` when every row has its own, null for dates alone. */
  readonly timeZone: string | null;
  readonly weekDated: WeekDate | null;
}

/** A row that is not stored and is no mistake. */
export interface Skipped {
  readonly line: number | null;
  readonly reason: string;
}

/**
 * Result of reading a file. It may be stored when there are no problems, no questions and no
 * refused rows.
 */
export interface Understanding {
  readonly recognised: Recognised;
  /** Reasons why the file cannot be read, whatever the answers. */
  readonly problems: readonly string[];
  readonly questions: readonly Question[];
  /** Rows of the file, skipped ones included. */
  readonly rows: number;
  /** In the order of the file. Empty while a question is open. */
  readonly bars: readonly BarRow[];
  readonly refused: readonly RowError[];
  /** Refused rows in all. */
  readonly refusedTotal: number;
  readonly skipped: readonly Skipped[];
  readonly skippedTotal: number;
  readonly notes: readonly string[];
}
