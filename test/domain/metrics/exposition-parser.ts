/**
 * A strict reader of Prometheus' text format 0.0.4, for tests. It throws on whatever a scraper
 * could stumble over: unknown or repeated series, missing HELP or TYPE, groups split up, invalid
 * labels, histograms that do not add up.
 */

interface Series {
  /** As written, with suffix. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Family {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly series: readonly Series[];
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LINE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(,|$)/y;
const SUFFIXES = ["_bucket", "_sum", "_count"];

export function parseExposition(text: string): Map<string, Family> {
  if (!text.endsWith("\n")) throw new Error("the last line does not end");
  if (text.includes("\r")) throw new Error("lines end with a line feed only");
  const families = new Map<string, Family & { series: Series[] }>();
  const seen = new Set<string>();
  let help: { name: string; text: string } | null = null;
  let current: (Family & { series: Series[] }) | null = null;
  for (const line of text.slice(0, -1).split("\n")) {
    const [mark, word, name = "", ...rest] = line.split(" ");
    if (mark === "#" && word === "HELP") {
      if (!NAME.test(name) || rest.length === 0)
        throw new Error(`a HELP without name or text: ${line}`);
      help = { name, text: rest.join(" ") };
    } else if (mark === "#" && word === "TYPE") {
      const type = rest[0];
      if (help?.name !== name) throw new Error(`${name} has no HELP before its TYPE`);
      if (families.has(name)) throw new Error(`${name} comes twice`);
      if (type !== "counter" && type !== "gauge" && type !== "histogram")
        throw new Error(`${name} is a ${type}`);
      current = { name, type, help: help.text, series: [] };
      families.set(name, current);
    } else {
      const series = readLine(line);
      const key = JSON.stringify([series.name, Object.entries(series.labels).sort()]);
      if (seen.has(key)) throw new Error(`a series comes twice: ${line}`);
      seen.add(key);
      if (current === null || !belongs(series.name, current))
        throw new Error(`a series outside its group: ${line}`);
      current.series.push(series);
    }
  }
  for (const family of families.values()) check(family);
  return families;
}

const belongs = (name: string, { name: own, type }: Family): boolean =>
  type === "histogram" ? SUFFIXES.some((suffix) => name === own + suffix) : name === own;

function readLine(line: string): Series {
  const [, name = "", inside, number = ""] = LINE.exec(line) ?? [];
  if (name === "") throw new Error(`not a line of the format: ${line}`);
  const labels: Record<string, string> = {};
  if (inside !== undefined) {
    LABEL.lastIndex = 0;
    while (LABEL.lastIndex < inside.length) {
      const [, label, value] = LABEL.exec(inside) ?? [];
      if (label === undefined || value === undefined)
        throw new Error(`labels cannot be read: ${line}`);
      if (label in labels) throw new Error(`the label ${label} comes twice: ${line}`);
      labels[label] = value.replace(/\\(.)/g, (_, c: string) => (c === "n" ? "\n" : c));
    }
  }
  if (!/^[+-]?(\d+(\.\d+)?(e[+-]?\d+)?|Inf)$|^NaN$/i.test(number))
    throw new Error(`no number: ${line}`);
  return { name, labels, value: number === "+Inf" ? Number.POSITIVE_INFINITY : Number(number) };
}

function check({ name, type, series }: Family): void {
  if (type === "counter" && !name.endsWith("_total"))
    throw new Error(`the counter ${name} is no _total`);
  if (type !== "gauge" && series.some(({ value }) => !(value >= 0)))
    throw new Error(`${name} went below zero`);
  const labelSets = new Set(
    series.map(({ labels }) =>
      Object.keys(labels)
        .filter((label) => label !== "le")
        .sort()
        .join(),
    ),
  );
  if (labelSets.size > 1) throw new Error(`${name} has series with different labels`);
  if (type === "histogram") checkHistogram(name, series);
}

function checkHistogram(name: string, series: readonly Series[]): void {
  const groups = Map.groupBy(series, ({ labels }) => {
    const { le: _, ...rest } = labels;
    return JSON.stringify(rest);
  });
  for (const [labels, own] of groups) {
    const buckets = own.filter((one) => one.name === `${name}_bucket`);
    const bounds = buckets.map(({ labels: { le = "" } }) =>
      le === "+Inf" ? Infinity : Number(le),
    );
    const count = own.find((one) => one.name === `${name}_count`)?.value;
    const sum = own.find((one) => one.name === `${name}_sum`)?.value;
    const at = `${name}${labels}`;
    if (bounds.at(-1) !== Infinity) throw new Error(`${at} has no infinite bucket`);
    if (bounds.some((bound, n) => n > 0 && !(bound > (bounds[n - 1] ?? 0))))
      throw new Error(`the buckets of ${at} do not ascend`);
    if (buckets.some(({ value }, n) => n > 0 && value < (buckets[n - 1]?.value ?? 0)))
      throw new Error(`the buckets of ${at} are not cumulative`);
    if (count === undefined || sum === undefined) throw new Error(`${at} has no count or no sum`);
    if (buckets.at(-1)?.value !== count)
      throw new Error(`${at} counts ${count}, unlike its last bucket`);
    const least = buckets.reduce(
      (total, { value }, n) =>
        total + (value - (buckets[n - 1]?.value ?? 0)) * (n === 0 ? 0 : (bounds[n - 1] ?? 0)),
      0,
    );
    if (sum < least - 1e-9) throw new Error(`the sum of ${at} is less than its buckets say`);
  }
}
