import { EVENT_TYPES } from "../events/catalogue.ts";
import { JOB_KINDS } from "../job/job-kinds.ts";
import { QUEUES } from "../queue/queues.ts";
import { FALLBACK_REASONS } from "../recommendation/llm/fallback.ts";
import { PROVIDERS } from "../recommendation/llm/reply.ts";

/** Parts of a scrape; each may fail without the others. */
export const SCRAPE_SOURCES = ["recorder", "database", "breakers", ...QUEUES] as const;

/** A value outside its label's list is written as this, so no input can make a new series. */
export const OTHER = "other";

/**
 * The values a label may have: a list, or `coded` for names from the code that are not listed here
 * (route patterns, external services). Symbols, ids and anything else that grows with the number of
 * assets are never labels.
 */
type LabelValues = readonly string[] | "coded";

interface Metric {
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly labels: Readonly<Record<string, LabelValues>>;
  /** Upper bounds of a histogram's buckets in seconds, ascending, without the infinite one. */
  readonly buckets?: readonly number[];
}

const EVENT = Object.keys(EVENT_TYPES);
const PROCESSING = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1];
const LATENCY = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const WORK = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60];

/** Every metric: its name, type, meaning and labels. `/metrics` shows nothing else. */
export const METRICS = {
  events_published_total: {
    type: "counter",
    help: "Events the events queue has taken, counted at their first arrival at its consumer.",
    labels: { event_type: EVENT },
  },
  events_processed_total: {
    type: "counter",
    help: "Events whose rows, jobs and deliveries are committed.",
    labels: { event_type: EVENT },
  },
  event_processing_duration_seconds: {
    type: "histogram",
    help: "Time until an event's rows, jobs and deliveries were committed, for each event of a transaction.",
    labels: { event_type: EVENT },
    buckets: PROCESSING,
  },
  event_processing_errors_total: {
    type: "counter",
    help: "Times a stream's events could not be processed; they are tried again. The type is that of the first event.",
    labels: { event_type: EVENT },
  },
  job_duration_seconds: {
    type: "histogram",
    help: "Duration of job attempts by outcome; a deferral counts as no attempt.",
    labels: { kind: JOB_KINDS, outcome: ["done", "later", "refused", "deferred"] },
    buckets: WORK,
  },
  webhook_delivery_duration_seconds: {
    type: "histogram",
    help: "Duration of webhook calls by the state of the delivery after them.",
    labels: { outcome: ["delivered", "retrying", "failed"] },
    buckets: WORK,
  },
  http_request_duration_seconds: {
    type: "histogram",
    help: "Duration of API requests by route pattern and class of status.",
    labels: {
      method: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
      route: "coded",
      status: ["2xx", "3xx", "4xx", "5xx"],
    },
    buckets: LATENCY,
  },
  model_call_duration_seconds: {
    type: "histogram",
    help: "Duration of calls of language models by response; the verdict on answers is in model_answers_total.",
    labels: {
      provider: PROVIDERS,
      outcome: ["answered", "timeout", "rateLimited", "unavailable", "malformed", "rejected"],
    },
    buckets: WORK,
  },
  model_tokens_total: {
    type: "counter",
    help: "Tokens that language models report to have read and written.",
    labels: { provider: PROVIDERS, kind: ["input", "output"] },
  },
  model_answers_total: {
    type: "counter",
    help: "Questions for language models by outcome: accepted, from the cache, or why the rules answered instead.",
    labels: { outcome: ["accepted", "cached", ...Object.keys(FALLBACK_REASONS)] },
  },
  scheduler_tick_duration_seconds: {
    type: "histogram",
    help: "Duration of cron ticks, sweep included.",
    labels: { outcome: ["done", "failed"] },
    buckets: WORK,
  },
  scheduler_slots_total: {
    type: "counter",
    help: "Slots of schedules that ticks have claimed, skipped, or resumed after a crash.",
    labels: { outcome: ["claimed", "skipped", "resumed"] },
  },
  metrics_reports_lost_total: {
    type: "counter",
    help: "Reports that did not reach the metrics object; what they counted is missing from the other metrics.",
    labels: {},
  },
  queue_backlog_messages: {
    type: "gauge",
    help: "Messages ready on a queue; delayed ones and ones in flight are not counted.",
    labels: { queue: QUEUES },
  },
  queue_backlog_bytes: {
    type: "gauge",
    help: "Bytes of the messages ready on a queue.",
    labels: { queue: QUEUES },
  },
  queue_oldest_message_age_seconds: {
    type: "gauge",
    help: "Age of the oldest message ready on a queue, 0 when it is empty.",
    labels: { queue: QUEUES },
  },
  outbox_streams_behind: {
    type: "gauge",
    help: "Streams with events that the read model has not taken in, counted up to 1000.",
    labels: {},
  },
  outbox_lag_seconds: {
    type: "gauge",
    help: "How long the stream that waits longest has waited since it was last noted or swept.",
    labels: {},
  },
  dead_letters: {
    type: "gauge",
    help: "Dead letters by state, each counted up to 1000.",
    labels: { state: ["open", "redriving", "redriven", "discarded", "superseded"] },
  },
  jobs_open: {
    type: "gauge",
    help: "Unfinished jobs among the 1000 that are due first.",
    labels: { kind: JOB_KINDS, state: ["queued", "running", "retrying"] },
  },
  jobs_oldest_due_age_seconds: {
    type: "gauge",
    help: "How long the most overdue job has been due, 0 when none is.",
    labels: { kind: JOB_KINDS },
  },
  webhook_deliveries_open: {
    type: "gauge",
    help: "Unfinished deliveries among the 1000 that are due first.",
    labels: { state: ["pending", "sending", "retrying"] },
  },
  webhook_deliveries_oldest_due_age_seconds: {
    type: "gauge",
    help: "How long the most overdue delivery has been due, 0 when none is.",
    labels: {},
  },
  scheduler_last_tick_timestamp_seconds: {
    type: "gauge",
    help: "When the cron trigger last fired, seconds since 1970.",
    labels: {},
  },
  circuit_breaker_state: {
    type: "gauge",
    help: "Circuit breaker of an external service: 0 closed, 1 half open, 2 open.",
    labels: { service: "coded" },
  },
  read_model_divergences: {
    type: "gauge",
    help: "Unrepaired differences between read model and logs, counted up to 1000.",
    labels: {},
  },
  metrics_scrape_failed: {
    type: "gauge",
    help: "1 for each part of this page that did not answer and is left out of it.",
    labels: { source: SCRAPE_SOURCES },
  },
} as const satisfies Readonly<Record<string, Metric>>;

type Metrics = typeof METRICS;
export type MetricName = keyof Metrics;
type NamesOf<T extends Metric["type"]> = {
  [N in MetricName]: Metrics[N]["type"] extends T ? N : never;
}[MetricName];
export type CounterName = NamesOf<"counter">;
export type GaugeName = NamesOf<"gauge">;
export type HistogramName = NamesOf<"histogram">;

/** A value for each of a metric's labels. */
export type LabelsOf<N extends MetricName> = { readonly [L in keyof Metrics[N]["labels"]]: string };

/** A metric by an external name; null when there is none of that name. */
export const metricOf = (name: string): Metric | null =>
  Object.hasOwn(METRICS, name) ? METRICS[name as MetricName] : null;

/**
 * The values of a metric's labels in the order of the catalogue, each one of its list or `other`.
 */
export const labelValues = (metric: Metric, labels: Readonly<Record<string, string>>): string[] =>
  Object.entries(metric.labels).map(([label, allowed]) => {
    const value = labels[label] ?? OTHER;
    return allowed === "coded" || allowed.includes(value) ? value : OTHER;
  });
