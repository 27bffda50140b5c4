/**
 * One record of a delimited text: its fields without surrounding spaces, and the line on which it
 * starts.
 */
export interface CsvRecord {
  readonly line: number;
  readonly fields: readonly string[];
}

/** The reason why the reading of a text stopped, in words for its sender. */
export type RecordsProblem = string;

/** More columns than any export has. Bounds the memory of one record. */
const MAX_COLUMNS = 1_000;

/**
 * As many characters as a spreadsheet's cell can hold. A longer cell is cut there: its reader
 * refuses it for its length.
 */
const MAX_CELL_LENGTH = 32_767;

const QUOTE = 34;
const LINE_FEED = 10;
const RETURN = 13;

/**
 * Walks over the records of a text (RFC 4180, and the dialects of spreadsheets with every line
 * ending, spaces around quoted fields and doubled quotes), one at a time, so that a file of any
 * shape costs the memory of one record. Blank records are skipped; line numbers still count them.
 * `visit` returns `false` to stop.
 *
 * `starts` is where the text begins after a byte order mark and a `sep=` line.
 */
export const walkRecords = (
  text: string,
  delimiter: string,
  visit: (record: CsvRecord) => boolean,
  starts: { readonly at: number; readonly line: number } = { at: 0, line: 1 },
): RecordsProblem | null => {
  const cut = delimiter.charCodeAt(0);
  let { at, line } = starts;
  while (at < text.length) {
    if (isLineEnd(text.charCodeAt(at))) {
      at = behindLineEnd(text, at);
      line += 1;
      continue;
    }
    const began = line;
    const fields: string[] = [];
    let filled = false;
    for (;;) {
      const field = readField(text, at, cut);
      if (field === null)
        return `the quotes do not match in the record that starts on line ${began}`;
      line += field.breaks;
      fields.push(field.text);
      filled ||= field.text !== "";
      at = field.end;
      if (fields.length > MAX_COLUMNS && !(at >= text.length || isLineEnd(text.charCodeAt(at))))
        return `line ${began} has more than ${MAX_COLUMNS} columns`;
      if (at >= text.length || text.charCodeAt(at) !== cut) break;
      at += 1;
    }
    at = behindLineEnd(text, at);
    line += 1;
    if (filled && !visit({ line: began, fields })) return null;
  }
  return null;
};

interface Field {
  readonly text: string;
  /** Position of the delimiter or the line end after it. */
  readonly end: number;
  /** Lines it runs over beyond its first. */
  readonly breaks: number;
}

const isLineEnd = (code: number): boolean => code === LINE_FEED || code === RETURN;

const behindLineEnd = (text: string, at: number): number =>
  text.charCodeAt(at) === RETURN && text.charCodeAt(at + 1) === LINE_FEED ? at + 2 : at + 1;

/** White space that may surround a field and is no delimiter. */
const isBlank = (code: number): boolean =>
  code === 32 || code === 9 || code === 0xa0 || code === 0xfeff || code === 11 || code === 12;

/** The field that begins at a place; null when its quotes do not match. */
const readField = (text: string, from: number, cut: number): Field | null => {
  let at = from;
  while (at < text.length && isBlank(text.charCodeAt(at)) && text.charCodeAt(at) !== cut) at += 1;
  if (text.charCodeAt(at) === QUOTE) return readQuoted(text, at + 1, cut);
  let end = at;
  while (end < text.length) {
    const code = text.charCodeAt(end);
    if (code === cut || isLineEnd(code)) break;
    end += 1;
  }
  return { text: text.slice(at, Math.min(end, at + MAX_CELL_LENGTH)).trim(), end, breaks: 0 };
};

const readQuoted = (text: string, from: number, cut: number): Field | null => {
  let breaks = 0;
  let doubled = false;
  let at = from;
  for (; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      if (text.charCodeAt(at + 1) !== QUOTE) break;
      doubled = true;
      at += 1;
    } else if (code === LINE_FEED || (code === RETURN && text.charCodeAt(at + 1) !== LINE_FEED))
      breaks += 1;
  }
  if (at >= text.length) return null;
  let end = at + 1;
  while (end < text.length && isBlank(text.charCodeAt(end)) && text.charCodeAt(end) !== cut)
    end += 1;
  if (end < text.length && text.charCodeAt(end) !== cut && !isLineEnd(text.charCodeAt(end)))
    return null;
  const inside = text.slice(from, Math.min(at, from + MAX_CELL_LENGTH));
  return { text: (doubled ? inside.replaceAll('""', '"') : inside).trim(), end, breaks };
};

/** The first records, at most this many, and the reason if the reading stopped there. */
export const firstRecords = (
  text: string,
  delimiter: string,
  max: number,
  starts?: { readonly at: number; readonly line: number },
): { readonly records: readonly CsvRecord[]; readonly problem: RecordsProblem | null } => {
  const records: CsvRecord[] = [];
  const problem = walkRecords(text, delimiter, (record) => records.push(record) < max, starts);
  return { records, problem };
};
