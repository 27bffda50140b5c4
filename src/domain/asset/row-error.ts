/** One refused row of an upload, located so that a person finds it in a spreadsheet. */
export interface RowError {
  /** 1-based number of the data row: the header and blank lines are not counted. */
  readonly row: number;
  /**
   * The line a spreadsheet shows, counted from 1; null when the rows did not come from a text file.
   */
  readonly line: number | null;
  readonly field: string;
  /** The refused text, cut to 40 characters. */
  readonly value: string;
  readonly reason: string;
}

/** Where a row came from. */
export interface RowPlace {
  readonly row: number;
  readonly line: number | null;
}

/** At most this many errors of one upload are listed; the rest are only counted. */
export const LISTED_ERRORS = 100;

const SHOWN_CHARACTERS = 40;

/**
 * Row errors in the order they were found: the first hundred fields, and how many rows there were
 * in all. The caller adds them row by row in order, so that a row with several bad fields is
 * counted once.
 */
export class RowErrors {
  readonly listed: RowError[] = [];
  total = 0;
  #last: number | null = null;

  add(place: RowPlace, field: string, value: string, reason: string): void {
    if (place.row !== this.#last) this.total += 1;
    this.#last = place.row;
    if (this.listed.length >= LISTED_ERRORS) return;
    this.listed.push({ row: place.row, line: place.line, field, value: shorten(value), reason });
  }
}

/**
 * The text, or its beginning and an ellipsis; never half of a surrogate pair, which JSON cannot
 * carry.
 */
export const shorten = (text: string): string =>
  (text.length <= SHOWN_CHARACTERS
    ? text
    : `${text.slice(0, SHOWN_CHARACTERS - 1)}…`
  ).toWellFormed();

/** "row 3 (line 4)", or "row 3" when there is no file. */
export const placeName = ({ row, line }: RowPlace): string =>
  line === null ? `row ${row}` : `row ${row} (line ${line})`;
