import type { SCRAPE_SOURCES } from "../../domain/metrics/catalogue.ts";
import { type Gauge, gauge, render } from "../../domain/metrics/exposition.ts";
import { QUEUE_BINDINGS, QUEUES, type QueueName } from "../../domain/queue/queues.ts";
import { countStreamsBehind } from "../../read-model/streams.ts";
import {
  breakerStates,
  countDeadLetters,
  countDivergences,
  countOpenDeliveries,
  countOpenJobs,
  lastTick,
  MAX_COUNT,
  type OpenWork,
} from "../../records/operations/gauge-records.ts";
import { isAhead } from "../../schedule/trigger-time.ts";
import { inTime } from "../../timeout.ts";
import type { Platform } from "../platform/platform.ts";
import { metricsObject, report } from "./metrics.ts";

/** Prometheus gives up after ten seconds; a part that is out must not take the page with it. */
const PART_TIMEOUT_MS = 3_000;

type Source = (typeof SCRAPE_SOURCES)[number];

/**
 * The text of /metrics: what was counted, and what stands in queues and database now. Its cost does
 * not depend on how many assets there are. A part that fails is left out, and
 * `metrics_scrape_failed` says which.
 */
export async function scrape(p: Platform): Promise<string> {
  const { env } = p;
  await report(env, p.log);
  const gauges: Gauge[] = [];
  const part = async <T>(source: Source, read: () => Promise<T>): Promise<T | null> => {
    try {
      const found = await inTime(read(), PART_TIMEOUT_MS, source);
      gauges.push(gauge("metrics_scrape_failed", { source }, 0));
      return found;
    } catch (error) {
      p.log({ level: "warn", message: "left out of /metrics", source, error: String(error) });
      gauges.push(gauge("metrics_scrape_failed", { source }, 1));
      return null;
    }
  };
  const [samples, ...found] = await Promise.all([
    part("recorder", () => metricsObject(env).read()),
    part("database", () => databaseGauges(env.DB, p.now())),
    part("breakers", () => breakerGauges(env.DB)),
    ...QUEUES.map((queue) =>
      part(queue, () => queueGauges(queue, env[QUEUE_BINDINGS[queue]], p.now())),
    ),
  ]);
  for (const some of found) if (some !== null) gauges.push(...some);
  return render(samples ?? [], gauges);
}

async function queueGauges(queue: QueueName, of: Queue, now: number): Promise<Gauge[]> {
  const { backlogCount, backlogBytes, oldestMessageTimestamp } = await of.metrics();
  const oldest = backlogCount === 0 ? undefined : oldestMessageTimestamp;
  return [
    gauge("queue_backlog_messages", { queue }, backlogCount),
    gauge("queue_backlog_bytes", { queue }, backlogBytes),
    gauge("queue_oldest_message_age_seconds", { queue }, ageOf(oldest?.getTime() ?? null, now)),
  ];
}

/** One round trip, and at most some 11,000 rows read even when everything is behind. */
export async function databaseGauges(db: D1Database, now: number): Promise<Gauge[]> {
  const [behind, deadLetters, jobs, deliveries, divergences, clock] = await db.batch<
    Record<string, unknown>
  >([
    countStreamsBehind(db, MAX_COUNT),
    countDeadLetters(db),
    countOpenJobs(db),
    countOpenDeliveries(db),
    countDivergences(db),
    lastTick(db),
  ]);
  const rows = <T>(result: D1Result | undefined): T[] => (result?.results ?? []) as T[];
  const streams = rows<{ n: number; oldest: number | null }>(behind)[0];
  const tick = rows<{ wallAt: number }>(clock)[0];
  return [
    gauge("outbox_streams_behind", {}, streams?.n ?? 0),
    gauge("outbox_lag_seconds", {}, ageOf(streams?.oldest ?? null, now)),
    ...rows<{ state: string; n: number }>(deadLetters).map(({ state, n }) =>
      gauge("dead_letters", { state }, n),
    ),
    ...rows<OpenWork>(jobs).map(({ kind, state, n }) => gauge("jobs_open", { kind, state }, n)),
    ...[...Map.groupBy(rows<OpenWork>(jobs), ({ kind }) => kind)].map(([kind, own]) =>
      gauge("jobs_oldest_due_age_seconds", { kind }, ageOf(oldestOf(own), now)),
    ),
    ...rows<OpenWork>(deliveries).map(({ state, n }) =>
      gauge("webhook_deliveries_open", { state }, n),
    ),
    gauge(
      "webhook_deliveries_oldest_due_age_seconds",
      {},
      ageOf(oldestOf(rows<OpenWork>(deliveries)), now),
    ),
    gauge("read_model_divergences", {}, rows<{ n: number }>(divergences)[0]?.n ?? 0),
    // A record from ahead tells of no tick: shown as it is, whoever waits for ticks to stop would
    // never hear of it.
    ...(tick === undefined
      ? []
      : [
          gauge(
            "scheduler_last_tick_timestamp_seconds",
            {},
            isAhead(tick.wallAt, now) ? 0 : tick.wallAt / 1000,
          ),
        ]),
  ];
}

const BREAKER_VALUES: Readonly<Record<string, number>> = { closed: 0, half_open: 1, open: 2 };

/** Breakers as the read model has them. */
export async function breakerGauges(db: D1Database): Promise<Gauge[]> {
  const { results } = await breakerStates(db).all<{ service: string; state: string }>();
  return results.flatMap(({ service, state }) => {
    const value = BREAKER_VALUES[state.toLowerCase().replace("-", "_")];
    return value === undefined ? [] : [gauge("circuit_breaker_state", { service }, value)];
  });
}

const oldestOf = (work: readonly OpenWork[]): number | null =>
  work.length === 0 ? null : Math.min(...work.map(({ oldest }) => oldest));

/** Seconds since an instant (epoch ms); 0 when there is none or it lies ahead. */
const ageOf = (instant: number | null, now: number): number =>
  instant === null ? 0 : Math.max(0, (now - instant) / 1000);
