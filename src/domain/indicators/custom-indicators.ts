import type { Bar } from "../asset/bar.ts";
import { columnsOf, withoutFirst } from "./bar-columns.ts";
import {
  CUSTOM_INDICATOR_KINDS,
  type CustomIndicatorKind,
  type Parameter,
} from "./custom-indicator-kinds.ts";
import { INDICATOR_NAMES } from "./values.ts";

/**
 * Indicators requested by name, like `sma50`, `macd5_35_5`, `bb20_2.5`, `var95_250`, `drawdown`.
 */
interface CustomIndicators {
  /** The keys of a bar's values, in the order of the request. */
  readonly keys: readonly string[];
  /** Number of bars to run through before the first one of interest; null for the whole history. */
  readonly warmUp: number | null;
}

interface CustomIndicatorProblem {
  readonly name: string;
  readonly reason: string;
}

export type CustomIndicatorReading =
  | { readonly ok: true; readonly custom: CustomIndicators; readonly rows: CustomIndicatorRows }
  | { readonly ok: false; readonly problems: readonly CustomIndicatorProblem[] };

/**
 * The requested values of each bar of a series but the first `before`, oldest first. Each indicator
 * gets only as many of these bars as its warm-up takes.
 */
type CustomIndicatorRows = (
  bars: readonly Bar[],
  periodsPerYear: number,
  before?: number,
) => Record<string, number | null>[];

/** More in one question is a mistake, or should be two. */
export const MAX_CUSTOM_INDICATORS = 20;

/** The parameters of the stored set's names, and the outputs they stand for. */
const USUAL: Readonly<Record<string, readonly [string, number]>> = {
  macd: ["macd12_26_9", 0],
  macdSignal: ["macd12_26_9", 1],
  macdHistogram: ["macd12_26_9", 2],
  bbUpper: ["bb20_2", 0],
  bbMiddle: ["bb20_2", 1],
  bbLower: ["bb20_2", 2],
  stochK: ["stoch14_3_3", 0],
  stochD: ["stoch14_3_3", 1],
};

interface Choice {
  readonly kind: CustomIndicatorKind;
  readonly values: readonly number[];
  /** Keys by the place of the output they show. */
  readonly shown: ReadonlyMap<number, string>;
}

/** Reads names; reports the problems of all of them at once. */
export function readCustomIndicators(names: readonly string[]): CustomIndicatorReading {
  const problems: CustomIndicatorProblem[] = [];
  const choices: Choice[] = [];
  if (names.length > MAX_CUSTOM_INDICATORS)
    problems.push({
      name: "names",
      reason: `at most ${MAX_CUSTOM_INDICATORS} names, these are ${names.length}`,
    });
  for (const name of new Set(names.slice(0, MAX_CUSTOM_INDICATORS))) {
    const choice = readName(name);
    if (typeof choice === "string") problems.push({ name, reason: choice });
    else choices.push(choice);
  }
  if (problems.length > 0) return { ok: false, problems };
  const warmUps = choices.map(({ kind, values }) => kind.warmUp(values));
  return {
    ok: true,
    custom: {
      keys: choices.flatMap(({ shown }) => [...shown.values()]),
      warmUp: warmUps.includes(null) ? null : Math.max(0, ...warmUps.map((bars) => bars ?? 0)),
    },
    rows: (bars, periodsPerYear, before = 0) => rowsOf(choices, bars, periodsPerYear, before),
  };
}

function rowsOf(
  choices: readonly Choice[],
  bars: readonly Bar[],
  periodsPerYear: number,
  before: number,
): Record<string, number | null>[] {
  const series = columnsOf(bars);
  const rows = Array.from({ length: Math.max(0, bars.length - before) }, () => ({}));
  for (const { kind, values, shown } of choices) {
    const warmUp = kind.warmUp(values);
    const first = warmUp === null ? 0 : Math.max(0, before - warmUp);
    const columns = kind.columns(withoutFirst(series, first), values, periodsPerYear);
    for (const [output, key] of shown) show(rows, key, columns[output], before - first);
  }
  return rows;
}

/** Writes a column under its key, without the bars before the first row. */
function show(
  rows: readonly Record<string, number | null>[],
  key: string,
  values: Float64Array | undefined,
  before: number,
): void {
  for (const [index, row] of rows.entries()) row[key] = known(values?.[before + index]);
}

/**
 * Custom parameters can overflow the number range where the stored set does not; such a value is
 * unknown.
 */
const known = (value: number | undefined): number | null =>
  value === undefined || !Number.isFinite(value) ? null : value;

/** The choice that a name requests, or the reason why it is invalid. */
function readName(name: string): Choice | string {
  const usual = Object.hasOwn(USUAL, name) ? USUAL[name] : undefined;
  const full = usual?.[0] ?? name;
  const [, word = "", numbers = ""] = /^([A-Za-z]+)([0-9._]*)$/.exec(full) ?? [];
  const kind = Object.hasOwn(CUSTOM_INDICATOR_KINDS, word)
    ? CUSTOM_INDICATOR_KINDS[word]
    : undefined;
  if (kind === undefined)
    return `is none of ${Object.entries(CUSTOM_INDICATOR_KINDS).map(patternOf).join(", ")}, nor of ${INDICATOR_NAMES.join(", ")}`;
  const parts = numbers === "" ? [] : numbers.split("_");
  if (parts.length !== kind.parameters.length) return `is written ${patternOf([word, kind])}`;
  const values = parts.map(Number);
  for (const [index, parameter] of kind.parameters.entries()) {
    const reason = problemOf(parameter, parts[index] ?? "");
    if (reason !== null) return reason;
  }
  if (word === "macd" && (values[0] ?? 0) >= (values[1] ?? 0))
    return "needs a fast period below the slow one";
  const shown = new Map(
    usual === undefined
      ? kind.outputs.map((output, index) => [index, `${name}${output}`])
      : [[usual[1], name]],
  );
  return { kind, values, shown };
}

function problemOf({ name, min, max, fraction }: Parameter, text: string): string | null {
  const shape = fraction === true ? /^\d{1,3}(\.\d{1,3})?$/ : /^[1-9]\d{0,4}$/;
  const value = Number(text);
  if (shape.test(text) && value >= min && value <= max) return null;
  return `needs a ${name} from ${min} to ${max}${fraction === true ? "" : ", a whole number"}`;
}

/** `sma<period>`, as it is written. */
const patternOf = ([word, { parameters }]: readonly [string, CustomIndicatorKind]): string =>
  `${word}${parameters.map(({ name }) => `<${name}>`).join("_")}`;
