import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EVENT_TYPES } from "../../../src/domain/events/catalogue.ts";
import { METRICS, metricOf } from "../../../src/domain/metrics/catalogue.ts";
import { gauge, render } from "../../../src/domain/metrics/exposition.ts";
import { Registry, type Sample } from "../../../src/domain/metrics/registry.ts";
import { QUEUES } from "../../../src/domain/queue/queues.ts";
import { parseExposition } from "./exposition-parser.ts";
import { complaintsOfPromtool } from "./promtool.ts";

const types = Object.keys(EVENT_TYPES);
const duration = "event_processing_duration_seconds";

/** A page with at least one series of every metric. */
function fullPage(): string {
  const registry = new Registry();
  for (const event_type of types) {
    registry.count("events_published_total", { event_type });
    registry.count("events_processed_total", { event_type }, 3);
    registry.count("event_processing_errors_total", { event_type });
    for (const seconds of [0, 0.001, 0.02, 0.7, 30])
      registry.observe(duration, { event_type }, seconds);
  }
  registry.observe("job_duration_seconds", { kind: "ingest", outcome: "done" }, 0.2);
  registry.observe("webhook_delivery_duration_seconds", { outcome: "failed" }, 15);
  registry.observe(
    "model_call_duration_seconds",
    { provider: "anthropic", outcome: "timeout" },
    30,
  );
  registry.count("model_tokens_total", { provider: "anthropic", kind: "input" }, 1_800);
  registry.count("model_answers_total", { outcome: "guardrail" });
  registry.observe("scheduler_tick_duration_seconds", { outcome: "done" }, 0.1);
  registry.count("scheduler_slots_total", { outcome: "claimed" });
  const request = { method: "GET", route: "/api/v1/assets/:symbol", status: "2xx" };
  registry.observe("http_request_duration_seconds", request, 0.01);
  const queue = "ingest";
  return render(registry.samples(), [
    gauge("queue_backlog_messages", { queue }, 3),
    gauge("queue_backlog_bytes", { queue }, 1_234_567_890_123),
    gauge("queue_oldest_message_age_seconds", { queue }, 0.5),
    gauge("outbox_streams_behind", {}, 0),
    gauge("outbox_lag_seconds", {}, 1.5),
    gauge("dead_letters", { state: "open" }, 2),
    gauge("jobs_open", { kind: "ingest", state: "queued" }, 2),
    gauge("jobs_oldest_due_age_seconds", { kind: "ingest" }, 2),
    gauge("webhook_deliveries_open", { state: "pending" }, 2),
    gauge("webhook_deliveries_oldest_due_age_seconds", {}, 1e-7),
    gauge("scheduler_last_tick_timestamp_seconds", {}, 1_900_000_000.123),
    gauge("circuit_breaker_state", { service: 'odd "service"\\\n' }, 2),
    gauge("read_model_divergences", {}, 0),
    gauge("metrics_scrape_failed", { source: "database" }, 0),
  ]);
}

describe("the page of metrics", () => {
  it("keeps to the text format, with the meaning of each metric", () => {
    const families = parseExposition(fullPage());
    expect([...families.keys()]).toEqual(Object.keys(METRICS));
    for (const { name, series, help } of families.values()) {
      expect(series, name).not.toEqual([]);
      expect(help.length, name).toBeGreaterThan(20);
    }
    expect(families.get("circuit_breaker_state")?.series[0]?.labels["service"]).toBe(
      'odd "service"\\\n',
    );
  });

  it("keeps to the text format before anything has been counted", () => {
    const families = parseExposition(render([], []));
    expect([...families.keys()]).toEqual(Object.keys(METRICS));
    expect(families.get("metrics_reports_lost_total")?.series[0]?.value).toBe(0);
  });

  it("has the requested buckets", () => {
    const buckets = parseExposition(fullPage())
      .get(duration)
      ?.series.filter(
        ({ name, labels }) => name.endsWith("_bucket") && labels["event_type"] === types[0],
      );
    expect(buckets?.map(({ labels: { le }, value }) => [le, value])).toEqual([
      ["0.001", 2],
      ["0.005", 2],
      ["0.01", 2],
      ["0.05", 3],
      ["0.1", 3],
      ["0.5", 3],
      ["1", 4],
      ["+Inf", 5],
    ]);
  });

  it("passes promtool", () => {
    expect(complaintsOfPromtool(fullPage())).toBe("");
    expect(complaintsOfPromtool(render([], []))).toBe("");
  });
});

describe("the strict reader", () => {
  const good = "# HELP a_total of a kind\n# TYPE a_total counter\n";
  const histogram = "# HELP h of a kind\n# TYPE h histogram\n";
  it.each([
    ["a torn end", `${good}a_total 1`],
    ["no TYPE", "a_total 1\n"],
    ["a TYPE without HELP", "# TYPE a_total counter\na_total 1\n"],
    ["a series twice", `${good}a_total{x="1"} 1\na_total{x="1"} 2\n`],
    ["another metric's series", `${good}b_total 1\n`],
    ["a label without quotes", `${good}a_total{x=1} 1\n`],
    ["a raw quote in a label", `${good}a_total{x="a"b"} 1\n`],
    ["no number", `${good}a_total one\n`],
    ["a counter below zero", `${good}a_total -1\n`],
    ["different labels", `${good}a_total{x="1"} 1\na_total{y="1"} 1\n`],
    ["no infinite bucket", `${histogram}h_bucket{le="1"} 1\nh_sum 1\nh_count 1\n`],
    [
      "buckets that fall",
      `${histogram}h_bucket{le="1"} 2\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n`,
    ],
    [
      "a count of its own",
      `${histogram}h_bucket{le="1"} 1\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 2\n`,
    ],
    [
      "a sum too small",
      `${histogram}h_bucket{le="1"} 0\nh_bucket{le="+Inf"} 1\nh_sum 0.5\nh_count 1\n`,
    ],
  ])("refuses %s", (_, text) => {
    expect(() => parseExposition(text)).toThrow();
  });
});

describe("the operations page", () => {
  const text = readFileSync(join(import.meta.dirname, "../../../docs/operations.md"), "utf8");

  it("states the meaning of every metric", () => {
    for (const name of Object.keys(METRICS)) expect(text).toContain(`\`${name}`);
  });

  it("has alerts on metrics that exist, with labels and values that exist", () => {
    const expressions = [
      ...text.matchAll(/- \{ alert: \w+, expr: '(.+?)'(?:, for: \w+)? \}$/gm),
    ].map((m) => m[1] ?? "");
    expect(expressions.length).toBe(text.match(/- \{ alert:/g)?.length);
    for (const expression of expressions) {
      const used = [...expression.matchAll(/([a-z]+_[a-z_]+)(?:\{(\w+)="(\w+)"\})?/g)];
      expect(used, expression).not.toEqual([]);
      for (const [, written = "", label, value] of used) {
        if (written === "histogram_quantile") continue;
        const name =
          metricOf(written) === null ? written.replace(/_(bucket|count|sum)$/, "") : written;
        expect(metricOf(name), name).not.toBeNull();
        if (label !== undefined) expect(metricOf(name)?.labels[label]).toContain(value);
      }
    }
  });
});

describe("a histogram", () => {
  it("adds up, whatever is observed in whatever number of registries", () => {
    const observation = fc.tuple(
      fc.constantFrom(...types),
      fc.oneof(
        fc.double({ min: 0, max: 100, noNaN: true }),
        fc.constantFrom(0.001, 1, Number.NaN, -5),
      ),
      fc.integer({ min: 1, max: 5 }),
    );
    fc.assert(
      fc.property(
        fc.array(fc.array(observation, { maxLength: 20 }), { maxLength: 5 }),
        (reports) => {
          const total = new Registry();
          let expected = 0;
          for (const report of reports) {
            const part = new Registry();
            for (const [event_type, seconds, times] of report) {
              part.observe(duration, { event_type }, seconds, times);
              expected += times;
            }
            total.merge(JSON.parse(JSON.stringify(part.take())) as Sample[]);
            expect(part.samples()).toEqual([]);
          }
          const series = parseExposition(render(total.samples(), [])).get(duration)?.series ?? [];
          const counts = series.filter(({ name }) => name.endsWith("_count"));
          expect(counts.reduce((sum, { value }) => sum + value, 0)).toBe(expected);
        },
      ),
    );
  });
});

describe("a registry", () => {
  it("makes no series of an unknown value", () => {
    const registry = new Registry();
    for (let n = 0; n < 1_000; n++) {
      registry.count("events_published_total", { event_type: `Invented${n}` });
      registry.observe("job_duration_seconds", { kind: `asset-${n}`, outcome: "done" }, 1);
    }
    expect(registry.samples().map(({ labels }) => labels)).toEqual([["other"], ["other", "done"]]);
    expect(registry.samples()[0]?.values).toEqual([1_000]);
  });

  it("stays bounded even where values come from the code", () => {
    const registry = new Registry();
    for (let n = 0; n < 5_000; n++) {
      const labels = { method: "GET", route: `/assets/SYMBOL${n}`, status: "2xx" };
      registry.observe("http_request_duration_seconds", labels, 0.1);
    }
    const samples = registry.samples();
    expect(samples.length).toBeLessThanOrEqual(500);
    const count = (sample: Sample) =>
      sample.values.slice(0, -1).reduce((sum, value) => sum + value, 0);
    expect(samples.reduce((sum, sample) => sum + count(sample), 0)).toBe(5_000);
  });

  it.each([
    ["an unknown metric", { name: "nothing", labels: [], values: [1] }],
    ["an inherited name", { name: "toString", labels: [], values: [1] }],
    ["a gauge", { name: "outbox_lag_seconds", labels: [], values: [1] }],
    ["too few labels", { name: "events_published_total", labels: [], values: [1] }],
    ["other buckets", { name: duration, labels: ["AssetRegistered"], values: [1, 1] }],
    [
      "a count that falls",
      { name: "events_published_total", labels: ["AssetRegistered"], values: [-1] },
    ],
    [
      "no number",
      { name: "events_published_total", labels: ["AssetRegistered"], values: [Number.NaN] },
    ],
  ])("passes over a sample with %s", (_, sample) => {
    const registry = new Registry();
    registry.merge([sample]);
    expect(registry.samples()).toEqual([]);
  });

  it("names every queue", () => {
    const toml = readFileSync(join(import.meta.dirname, "../../../wrangler.toml"), "utf8");
    const consumed = [
      ...toml.matchAll(/\[\[queues\.consumers\]\][^[]*?^queue = "inversorai-([^"]+)"/gm),
    ];
    expect(new Set(consumed.map((match) => match[1]))).toEqual(new Set(QUEUES));
  });

  it("has no label for symbols or ids", () => {
    const labels = Object.values(METRICS).flatMap((metric) => Object.keys(metric.labels));
    expect(new Set(labels)).toEqual(
      new Set([
        "event_type",
        "kind",
        "outcome",
        "provider",
        "method",
        "route",
        "status",
        "queue",
        "state",
        "service",
        "source",
      ]),
    );
  });
});
