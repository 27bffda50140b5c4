import type { BarRow, NumberField } from "../asset/read-bar.ts";
import { readNumbers } from "../asset/read-bar.ts";
import { MAX_PRICE, MAX_VOLUME, type NumberReading } from "../asset/read-number.ts";
import { placeName, type RowErrors, type RowPlace, shorten } from "../asset/row-error.ts";
import { type NumberSigns, noSigns, noteSigns, readNumberAs } from "./number-form.ts";
import type { DecimalMark, Question } from "./question.ts";
import type { CellRow } from "./rows.ts";

export const PRICES = ["open", "high", "low", "close"] as const;

/** Collects the signs of all rows' number format. */
export const signsOf = (rows: readonly CellRow[]): NumberSigns => {
  const signs = noSigns();
  for (const { cells, problem, row, line } of rows) {
    if (cells === null || problem !== null) continue;
    for (const field of PRICES) noteSigns(signs, cells[field], false, { row, line });
    noteSigns(signs, cells.volume, true, { row, line });
  }
  return signs;
};

/**
 * The bars of the rows whose moments are known; unreadable values are added to the errors, row by
 * row.
 */
export const barsOf = (
  rows: readonly CellRow[],
  instants: readonly (number | string | null)[],
  decimal: DecimalMark,
  ticks: boolean,
  errors: RowErrors,
): BarRow[] => {
  const bars: BarRow[] = [];
  let at = 0;
  for (const { row, line, cells, problem } of rows) {
    const place: RowPlace = { row, line };
    if (cells === null || problem !== null) {
      errors.add(place, "row", problem?.value ?? "", problem?.reason ?? "cannot be read");
      continue;
    }
    const instant = instants[at] ?? null;
    at += 1;
    if (typeof instant === "string") errors.add(place, "timestamp", cells.timestamp, instant);
    const shown = (field: NumberField): string =>
      field === "volume" && ticks ? cells.otherVolume : cells[field];
    const price = (field: NumberField): NumberReading =>
      readNumberAs(shown(field), decimal, MAX_PRICE, false);
    const numbers = {
      open: price("open"),
      high: price("high"),
      low: price("low"),
      close: price("close"),
      volume: readNumberAs(shown("volume"), decimal, MAX_VOLUME, true),
    };
    const values = readNumbers({ place, numbers, shown }, errors);
    if (typeof instant === "number" && values !== null)
      bars.push({ row, line, bar: { timestamp: instant, ...values } });
  }
  return bars;
};

/** Asks about decimals or thousands, when nothing in the file decides it. */
export const askDecimal = ({ doubtful }: NumberSigns): Question => {
  const [first] = doubtful;
  const text = shorten(first?.text ?? "");
  const value = (decimal: DecimalMark): string => {
    const reading = readNumberAs(text, decimal, MAX_PRICE, false);
    return reading.ok ? String(reading.value) : "no number";
  };
  return {
    parameter: "decimal",
    question: `${placeName(first?.place ?? { row: 1, line: null })}: "${text}" may have decimals or be whole thousands`,
    choices: [
      { parameter: "decimal", value: ".", means: `a point before the decimals: ${value(".")}` },
      { parameter: "decimal", value: ",", means: `a comma before the decimals: ${value(",")}` },
    ],
    otherwise: null,
  };
};
