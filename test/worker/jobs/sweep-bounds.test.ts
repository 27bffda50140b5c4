import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { JOB_KINDS, KINDS as JOBS } from "../../../src/domain/job/job-kinds.ts";
import { QUEUE_BINDINGS } from "../../../src/domain/queue/queues.ts";
import { Broker, type QueueBinding } from "../kit/broker.ts";
import { enqueueJob, passSeconds, rows, stopClock } from "../kit/market.ts";

const OVERDUE = Number(env.SWEEP_AFTER_SECONDS) + 1;
/** Work that nobody does. */
const OPEN = 130;
/** Below the quarter of an hour after which the sweep no longer believes the queue. */
const SWEEPS = 6;

let broker: Broker;
beforeAll(() => {
  stopClock();
  broker = new Broker();
});
beforeEach(async () => {
  for (const table of [
    "jobs",
    "deliveries",
    "streams",
    "reconciliations",
    "rebuilds",
    "processes",
    "slots",
  ])
    await env.DB.prepare(`DELETE FROM ${table}`).run();
  for (const { queue } of KINDS) broker.take(queue);
});

const many = (sql: string) =>
  env.DB.prepare(
    `${sql.replace("FROM n", "FROM (WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?1) SELECT n FROM n)")}`,
  )
    .bind(OPEN, Date.now())
    .run();

/** Open work of each kind that the sweep sends again, on record and due since now. */
const KINDS: readonly { kind: string; queue: QueueBinding; open: () => Promise<unknown> }[] = [
  {
    kind: "deliveries",
    queue: "WEBHOOKS_QUEUE",
    open: () =>
      many(`INSERT INTO deliveries (id, endpoint_id, event_id, event_type, state, created_at, due_at)
            SELECT 'slow.' || n, 'slow', n, 'AssetUpdated', 'pending', ?2, ?2 FROM n`),
  },
  ...JOB_KINDS.map((kind) => ({
    kind: `${kind} jobs`,
    queue: QUEUE_BINDINGS[JOBS[kind].queue],
    open: async () => {
      await enqueueJob(kind, "SLOW", "one");
      await many(`INSERT INTO jobs (id, kind, symbol, resolution, state, params, correlation_id, actor, created_at, due_at)
                  SELECT id || n, kind, symbol || n, resolution, state, params, correlation_id, actor, created_at, ?2
                  FROM n, (SELECT * FROM jobs LIMIT 1) WHERE n < ?1`);
    },
  })),
  {
    kind: "streams",
    queue: "EVENTS_QUEUE",
    open: () =>
      many(`INSERT INTO streams (stream_id, known_version, known_at, projected_version)
            SELECT 'job/' || n, 2, ?2, 1 FROM n`),
  },
  {
    kind: "runs",
    queue: "RECONCILE_QUEUE",
    open: async () => {
      await many(`INSERT INTO reconciliations (id, state, trigger, actor, depth, repair, cursor, started_at, due_at)
                  SELECT 'run-' || n, 'running', 'api', 'test', 'marks', 0, '{}', ?2, ?2 FROM n`);
    },
  },
  {
    kind: "processes",
    queue: "PROCESSES_QUEUE",
    open: () =>
      many(`INSERT INTO processes (id, kind, state, direction, step, steps, input, tries, looks, since, due_at, version, actor,
              created_at, updated_at)
            SELECT 'p|' || n, 'onboard-asset', 'running', 'forward', 0, '[]', '{}', 0, 0, ?2, ?2, 1, 'test', ?2, ?2 FROM n`),
  },
  {
    kind: "slots",
    queue: "SCHEDULE_QUEUE",
    open: () =>
      many(`INSERT INTO slots (schedule_id, slot, state, locked_until, locked_by, claimed_at)
            SELECT 'slow', n, 'claimed', ?2, 'test', ?2 FROM n`),
  },
];

describe.each(KINDS)("open work: $kind", ({ queue, open }) => {
  it("is sent again once when its messages are lost, and never while they wait, however many sweeps pass", async () => {
    await open();
    expect(broker.waiting(queue)).toEqual([]);
    for (let sweep = 0; sweep < SWEEPS; sweep++) {
      passSeconds(OVERDUE);
      await broker.tick();
      await broker.tick();
      expect(broker.waiting(queue).length).toBeLessThanOrEqual(OPEN);
    }
    expect(broker.waiting(queue)).toHaveLength(OPEN);
    expect(new Set(broker.waiting(queue).map(({ body }) => JSON.stringify(body))).size).toBe(OPEN);
  });

  it("is sent again as far as messages were lost, and wholly when the queue forgot everything", async () => {
    await open();
    for (let sweep = 0; sweep < 3; sweep++) {
      passSeconds(OVERDUE);
      await broker.tick();
    }
    const held = broker.take(queue);
    broker.put(queue, ...held.slice(30).map(({ body }) => body));
    passSeconds(OVERDUE);
    await broker.tick();
    expect(broker.waiting(queue)).toHaveLength(OPEN);
    broker.take(queue);
    for (let sweep = 0; sweep < 3; sweep++) {
      passSeconds(OVERDUE);
      await broker.tick();
    }
    expect(new Set(broker.waiting(queue).map(({ body }) => JSON.stringify(body))).size).toBe(OPEN);
  });

  it("is sent again after the usual time when the queue does not say what waits, and late when it is wrong", async () => {
    await open();
    const metrics = vi.mocked((env[queue] as Queue).metrics);
    const honest = metrics.getMockImplementation();
    metrics.mockImplementation(async () => {
      throw new Error("no metrics");
    });
    passSeconds(OVERDUE);
    for (let tick = 0; tick < 5; tick++) await broker.tick();
    expect(broker.waiting(queue)).toHaveLength(queue === "SCHEDULE_QUEUE" ? 130 : OPEN);
    broker.take(queue);
    metrics.mockImplementation(async () => ({ backlogCount: 1_000_000, backlogBytes: 0 }));
    passSeconds(OVERDUE);
    await broker.tick();
    expect(broker.waiting(queue)).toEqual([]);
    passSeconds(10 * OVERDUE);
    await broker.tick();
    expect(broker.waiting(queue).length).toBeGreaterThan(0);
    expect(broker.waiting(queue).length).toBeLessThanOrEqual(10);
    if (honest !== undefined) metrics.mockImplementation(honest);
  });
});

describe("a delivery that was sent to its queue twice", () => {
  it("costs one look when its second message comes, and is called once", async () => {
    await env.DB.prepare(
      "UPDATE deliveries SET state = 'delivered', due_at = NULL WHERE id LIKE 'slow.%'",
    ).run();
    await many(`INSERT INTO deliveries (id, endpoint_id, event_id, event_type, state, created_at, due_at)
                SELECT 'gone.' || n, 'gone', n, 'AssetUpdated', 'pending', ?2, ?2 FROM n WHERE n < 3`);
    const prepare = vi.spyOn(env.DB, "prepare");
    broker.put("WEBHOOKS_QUEUE", { deliveryId: "gone.1" }, { deliveryId: "gone.2" });
    await broker.deliverDue("WEBHOOKS_QUEUE");
    prepare.mockClear();
    broker.put("WEBHOOKS_QUEUE", { deliveryId: "gone.1" }, { deliveryId: "gone.2" });
    await broker.deliverDue("WEBHOOKS_QUEUE");
    expect(prepare).toHaveBeenCalledTimes(1);
    prepare.mockRestore();
    expect(
      await rows(
        "SELECT state, json_array_length(attempts) AS n FROM deliveries WHERE id LIKE 'gone.%'",
      ),
    ).toEqual([
      { state: "cancelled", n: 1 },
      { state: "cancelled", n: 1 },
    ]);
    expect(broker.waiting("WEBHOOKS_QUEUE")).toEqual([]);
  });
});
