import {
  type GaugeName,
  type LabelsOf,
  labelValues,
  METRICS,
  type MetricName,
  metricOf,
} from "./catalogue.ts";
import type { Sample } from "./registry.ts";

/** A gauge's value at the moment of the scrape. */
export interface Gauge {
  readonly name: GaugeName;
  readonly labels: readonly string[];
  readonly value: number;
}

export const gauge = <N extends GaugeName>(name: N, labels: LabelsOf<N>, value: number): Gauge => ({
  name,
  labels: labelValues(METRICS[name], labels),
  value,
});

/** The media type of Prometheus' text format. */
export const EXPOSITION_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/**
 * Prometheus' text format 0.0.4: every metric of the catalogue with its meaning and type, then its
 * series.
 */
export function render(samples: readonly Sample[], gauges: readonly Gauge[]): string {
  const lines: string[] = [];
  const byName = Map.groupBy(samples, ({ name }) => name);
  const gaugesByName = Map.groupBy(gauges, ({ name }) => name);
  for (const name of Object.keys(METRICS) as MetricName[]) {
    const metric = METRICS[name];
    lines.push(`# HELP ${name} ${escapeHelp(metric.help)}`, `# TYPE ${name} ${metric.type}`);
    const own = byName.get(name) ?? [];
    for (const sample of own) lines.push(...seriesLines(sample));
    // A counter without labels exists from the start, so that its first increase is visible.
    if (own.length === 0 && metric.type === "counter" && Object.keys(metric.labels).length === 0)
      lines.push(line(name, "", [], 0));
    if (metric.type === "gauge") {
      const series = largestOf(gaugesByName.get(name as GaugeName) ?? []);
      for (const { labels, value } of series)
        lines.push(line(name, "", pairsOf(name, labels), value));
    }
  }
  return `${lines.join("\n")}\n`;
}

/**
 * One gauge for each set of labels: label values outside the catalogue share `other`, with the
 * largest value.
 */
function largestOf(gauges: readonly Gauge[]): Gauge[] {
  const largest = new Map<string, Gauge>();
  for (const one of gauges) {
    const key = JSON.stringify(one.labels);
    if ((largest.get(key)?.value ?? Number.NEGATIVE_INFINITY) < one.value) largest.set(key, one);
  }
  return [...largest.values()];
}

function seriesLines({ name, labels, values }: Sample): string[] {
  const pairs = pairsOf(name, labels);
  const bounds = metricOf(name)?.buckets;
  if (bounds === undefined) return [line(name, "", pairs, values[0] ?? 0)];
  const lines: string[] = [];
  let below = 0;
  for (const [at, bound] of [...bounds, Number.POSITIVE_INFINITY].entries()) {
    below += values[at] ?? 0;
    lines.push(line(name, "_bucket", [...pairs, ["le", numberText(bound)]], below));
  }
  lines.push(line(name, "_sum", pairs, values.at(-1) ?? 0), line(name, "_count", pairs, below));
  return lines;
}

const pairsOf = (name: string, labels: readonly string[]): [string, string][] =>
  Object.keys(metricOf(name)?.labels ?? {}).map((label, at) => [label, labels[at] ?? ""]);

function line(
  name: string,
  suffix: string,
  pairs: readonly (readonly [string, string])[],
  value: number,
) {
  const inside = pairs.map(([label, text]) => `${label}="${escapeValue(text)}"`).join(",");
  return `${name}${suffix}${inside === "" ? "" : `{${inside}}`} ${numberText(value)}`;
}

const numberText = (value: number): string =>
  value === Number.POSITIVE_INFINITY ? "+Inf" : String(value);
const escapeHelp = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
const escapeValue = (text: string): string => escapeHelp(text).replaceAll('"', '\\"');
