import {
  type CounterName,
  type HistogramName,
  type LabelsOf,
  labelValues,
  METRICS,
  metricOf,
  OTHER,
} from "./catalogue.ts";

/**
 * One series as it travels and is stored. `labels` are values in the catalogue's order. `values` is
 * the count of a counter; of a histogram the number of observations in each bucket (not cumulative,
 * the infinite one last) and then the sum.
 */
export interface Sample {
  readonly name: string;
  readonly labels: readonly string[];
  readonly values: readonly number[];
}

/** Interface for counting. */
export interface Recorder {
  readonly count: <N extends CounterName>(name: N, labels: LabelsOf<N>, by?: number) => void;
  /** Notes a duration in seconds, `times` times. A clock that was set back gives 0. */
  readonly observe: <N extends HistogramName>(
    name: N,
    labels: LabelsOf<N>,
    seconds: number,
    times?: number,
  ) => void;
}

/**
 * Series of one metric. The catalogue's lists stay far below; this holds whatever else may happen.
 */
const MAX_SERIES = 500;

interface Series {
  readonly name: string;
  readonly labels: readonly string[];
  readonly values: number[];
}

/**
 * Counters and histograms in memory. Its size is bounded by the catalogue, however much is counted.
 */
export class Registry implements Recorder {
  #series = new Map<string, Series>();
  #perMetric = new Map<string, number>();

  count<N extends CounterName>(name: N, labels: LabelsOf<N>, by = 1): void {
    this.#add(name, labelValues(METRICS[name], labels), [by]);
  }

  observe<N extends HistogramName>(name: N, labels: LabelsOf<N>, seconds: number, times = 1): void {
    const duration = Number.isFinite(seconds) ? Math.max(0, seconds) : 0;
    const bounds = METRICS[name].buckets;
    const at = bounds.findIndex((bound) => duration <= bound);
    const values = [...bounds.map(() => 0), 0, duration * times];
    values[at < 0 ? bounds.length : at] = times;
    this.#add(name, labelValues(METRICS[name], labels), values);
  }

  /**
   * Adds the samples of another registry. A sample outside the catalogue (of another version) is
   * skipped.
   */
  merge(samples: readonly Sample[]): void {
    for (const { name, labels, values } of samples) {
      const metric = metricOf(name);
      if (metric === null || metric.type === "gauge") continue;
      const keys = Object.keys(metric.labels);
      const width = metric.type === "counter" ? 1 : (metric.buckets?.length ?? 0) + 2;
      if (labels.length !== keys.length || values.length !== width) continue;
      if (!values.every((value) => Number.isFinite(value) && value >= 0)) continue;
      const named = Object.fromEntries(keys.map((key, at) => [key, labels[at] ?? OTHER]));
      this.#add(name, labelValues(metric, named), values);
    }
  }

  samples(): Sample[] {
    return [...this.#series.values()].map((series) => ({ ...series, values: [...series.values] }));
  }

  /** Returns the samples so far and starts from zero. */
  take(): Sample[] {
    const taken = [...this.#series.values()];
    this.#series = new Map();
    this.#perMetric = new Map();
    return taken;
  }

  #add(name: string, labels: readonly string[], values: readonly number[]): void {
    const series = this.#find(name, labels) ?? this.#open(name, labels, values.length);
    for (const [at, value] of values.entries())
      series.values[at] = (series.values[at] ?? 0) + value;
  }

  #find(name: string, labels: readonly string[]): Series | undefined {
    return this.#series.get(keyOf(name, labels));
  }

  #open(name: string, labels: readonly string[], width: number): Series {
    const open = this.#perMetric.get(name) ?? 0;
    const rest = labels.map(() => OTHER);
    if (open >= MAX_SERIES - 1 && keyOf(name, labels) !== keyOf(name, rest)) {
      return this.#find(name, rest) ?? this.#open(name, rest, width);
    }
    const series = { name, labels, values: Array.from({ length: width }, () => 0) };
    this.#series.set(keyOf(name, labels), series);
    this.#perMetric.set(name, open + 1);
    return series;
  }
}

const keyOf = (name: string, labels: readonly string[]): string =>
  JSON.stringify([name, ...labels]);
