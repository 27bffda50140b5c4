import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { deleteEndpoint } from "../../../src/records/webhooks/endpoint-records.ts";
import { Broker } from "../kit/broker.ts";
import { openEndpoint } from "../kit/endpoints.ts";
import {
  DAY,
  days,
  enqueueImport,
  enqueueJob,
  job,
  openAsset,
  passSeconds,
  readModelOf,
  stopClock,
} from "../kit/market.ts";
import { type Cost, Meter, sumOf } from "../kit/meter.ts";
import { every10Minutes } from "../kit/schedules.ts";

const WARM = 250;

/** The most one bar may cost, as docs/costs.md states it. A dearer change updates both. */
const BILLED = ["objectRows", "d1Rows", "objectRequests", "messages", "reports"] as const;
type Bound = Pick<Cost, (typeof BILLED)[number]>;
const WITHOUT_WEBHOOKS: Bound = {
  objectRows: 17,
  d1Rows: 40,
  objectRequests: 8,
  messages: 6,
  reports: 6,
};
/** Each batch of deliveries asks the receiver's breaker once. */
const WITH_ONE_ENDPOINT: Bound = {
  objectRows: 17,
  d1Rows: 58,
  objectRequests: 11,
  messages: 9,
  reports: 9,
};
const RANKING = { d1Rows: 12, rowsReadPerAsset: 70 };
/** A slot of one asset whose recommendation has come to its horizon. */
const RESOLUTION: Bound = { objectRows: 7, d1Rows: 17, objectRequests: 3, messages: 2, reports: 2 };

let broker: Broker;
let meter: Meter;
beforeAll(async () => {
  stopClock();
  broker = new Broker();
  vi.spyOn(globalThis, "fetch").mockImplementation(async () => new Response(null, { status: 204 }));
  await openAsset("COST");
  broker.put("INGEST_QUEUE", await enqueueImport("COST", "history", days(WARM)));
  await broker.settle();
  meter = new Meter(broker, "COST");
  await meter.start();
  await meter.alarm();
});

/**
 * One more daily bar, from its job's order to its recommendation, each message in a batch of its
 * own.
 */
async function costOfBar(day: number): Promise<Map<string, Cost>> {
  const stages = new Map<string, Cost>();
  const add = async (stage: string, work: () => Promise<unknown>) => {
    const cost = await meter.of(work);
    stages.set(stage, sumOf([stages.get(stage) ?? sumOf([]), cost]));
  };
  await add("order the ingest job", async () =>
    broker.put("INGEST_QUEUE", await enqueueImport("COST", `day ${day}`, days(1, day))),
  );
  await add("ingest", () => broker.deliverDue("INGEST_QUEUE"));
  await add("project MarketDataIngested", () => broker.deliverDue("EVENTS_QUEUE"));
  await add("webhooks", () => broker.deliverDue("WEBHOOKS_QUEUE"));
  await add("indicators", () => broker.deliverDue("INDICATORS_QUEUE"));
  await add("project IndicatorsComputed", () => broker.deliverDue("EVENTS_QUEUE"));
  await add("webhooks", () => broker.deliverDue("WEBHOOKS_QUEUE"));
  await add("recommendation", () => broker.deliverDue("RECOMMENDATIONS_QUEUE"));
  await add("project RecommendationGenerated", () => broker.deliverDue("EVENTS_QUEUE"));
  await add("webhooks", () => broker.deliverDue("WEBHOOKS_QUEUE"));
  await add("the alarm half a minute later", () => meter.alarm());
  stages.set("total", sumOf([...stages.values()]));
  return stages;
}

/** The table that docs/costs.md shows. */
function print(title: string, stages: ReadonlyMap<string, Cost>): void {
  const lines = [...stages].map(
    ([stage, cost]) => `| ${stage} | ${BILLED.map((key) => cost[key]).join(" | ")} |`,
  );
  const head = `| ${title} | object rows | D1 rows | object requests | messages | reports |\n|---|---:|---:|---:|---:|---:|`;
  console.log([head, ...lines].join("\n"));
}

function expectWithin(stages: ReadonlyMap<string, Cost>, bound: Bound): void {
  const total = stages.get("total") ?? sumOf([]);
  for (const key of BILLED) {
    expect(total[key], key).toBeLessThanOrEqual(bound[key]);
    expect(total[key], key).toBeGreaterThan(0);
  }
}

describe("one daily bar of an asset with history", () => {
  it("costs no more than stated without webhooks", async () => {
    const stages = await costOfBar(WARM);
    print("no webhook", stages);
    expect((await readModelOf("COST")).recommendations).toHaveLength(2);
    expectWithin(stages, WITHOUT_WEBHOOKS);
  });

  it("costs no more than stated with one endpoint that takes every event", async () => {
    const endpoint = await openEndpoint("hook-cost", ["#"]);
    const stages = await costOfBar(WARM + 1);
    print("one webhook", stages);
    await deleteEndpoint(env.DB, endpoint.id).run();
    expect((await readModelOf("COST")).recommendations).toHaveLength(3);
    expectWithin(stages, WITH_ONE_ENDPOINT);
  });
});

describe("a recommendation at its horizon", () => {
  it("costs no more than stated, from its slot to the track record", async () => {
    broker.put("INGEST_QUEUE", await enqueueImport("COST", "to the horizon", days(18, WARM + 2)));
    await broker.settle();
    await meter.alarm();
    await every10Minutes("COST", {
      kind: "recommendation",
      target: { symbol: "COST", only: "due" },
    });
    passSeconds(600);
    await broker.tick();
    const stages = new Map<string, Cost>();
    const add = async (stage: string, work: () => Promise<unknown>) =>
      void stages.set(stage, await meter.of(work));
    await add("order the job", () => broker.deliverDue("SCHEDULE_QUEUE"));
    await add("resolve", () => broker.deliverDue("RECOMMENDATIONS_QUEUE"));
    await add("project RecommendationResolved", () => broker.deliverDue("EVENTS_QUEUE"));
    await add("the alarm half a minute later", () => meter.alarm());
    stages.set("total", sumOf([...stages.values()]));
    print("resolution", stages);
    const { trackRecord } = await readModelOf("COST");
    // The calls of the next two bars have one and two bars to go.
    expect(trackRecord.filter(({ outcome }) => outcome !== null)).toHaveLength(1);
    expectWithin(stages, RESOLUTION);
  });
});

describe("a ranking", () => {
  it("reads a bounded number of rows per asset, whatever their history, and writes a handful in all", async () => {
    const symbols = Array.from({ length: 1_500 }, (_, n) => `R${String(n).padStart(4, "0")}`);
    const json = JSON.stringify(symbols);
    const batch = [
      `INSERT INTO assets (symbol, type, currency, calendar, source, live, created_at, updated_at)
       SELECT value, 'CRYPTO', 'USD', 'CRYPTO', 'import', 1, 0, 0 FROM json_each(?1)`,
      // Thirty open calls each, as of thirty days.
      `INSERT INTO track_record (symbol, id, resolution, as_of, horizon, action, confidence, base_rate, engine,
         engine_version, event_id, version)
       SELECT one.value, one.value || '-' || day.value, '1d', ?2 - day.value * 86400000, 20, 'BUY', 0.6, 0.5, 'rules', '1', 'e', 1
       FROM json_each(?1) AS one, (WITH RECURSIVE d(value) AS (SELECT 0 UNION ALL SELECT value + 1 FROM d WHERE value < 29)
                                   SELECT value FROM d) AS day`,
      `INSERT INTO recommendations (id, symbol, resolution, as_of, action, body, event_id, version, created_at)
       SELECT value || '-0', value, '1d', ?2, 'BUY',
         '{"close":1,"confidence":0.6,"baseRate":0.5,"engine":"rules","trend":{"score":0.2}}', value, 1, 0 FROM json_each(?1)`,
    ];
    const today = Math.floor(Date.now() / DAY - 1) * DAY;
    for (const sql of batch)
      await env.DB.prepare(sql)
        .bind(...(sql.includes("?2") ? [json, today] : [json]))
        .run();
    const params = { mode: "ranking", until: Date.now() } as const;
    broker.put("RANKING_QUEUE", await enqueueJob("ranking", "1d", "cost", { params }));
    const cost = await meter.of(() => broker.deliverDue("RANKING_QUEUE"));
    console.log(`a ranking of 1,500 assets: ${JSON.stringify(cost)}`);
    expect((await job("ranking|1d|cost")).result).toMatchObject({ ranked: 1_500 });
    expect(cost.d1RowsRead).toBeGreaterThan(1_500);
    expect(cost.d1RowsRead).toBeLessThan(1_500 * RANKING.rowsReadPerAsset);
    expect(cost.d1Rows).toBeLessThanOrEqual(RANKING.d1Rows);
    expect(cost.objectRequests).toBe(0);
    expect(broker.largestMessage).toBeLessThan(100_000);
  });
});
