import { env, exports } from "cloudflare:workers";
import { Webhook } from "standardwebhooks";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { newSecret } from "../../../src/delivery/webhook.ts";
import type { Notification } from "../../../src/domain/alert/alert.ts";
import { fileDeadLetters } from "../../../src/records/dead-letters/dead-letter-records.ts";
import { Broker } from "../kit/broker.ts";
import { enqueueJob, passSeconds, rows, stopClock } from "../kit/market.ts";

const SECRET = newSecret();
const RECEIVER = "https://alerts.example/hook";
const on = { ...env, ALERT_WEBHOOK_URL: RECEIVER, ALERT_WEBHOOK_SECRET: SECRET } as Env;

let broker: Broker;
beforeAll(() => {
  stopClock();
  broker = new Broker();
});

let status = 204;
let received: Notification[] = [];
let receivedIds: (string | null)[] = [];
beforeEach(() => {
  status = 204;
  received = [];
  receivedIds = [];
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    expect(String(input)).toBe(RECEIVER);
    const headers = Object.fromEntries(new Headers(init?.headers));
    received.push(new Webhook(SECRET).verify(String(init?.body), headers) as Notification);
    receivedIds.push(headers["webhook-id"] ?? null);
    return new Response(null, { status });
  });
});

const file = (from: number, count: number) =>
  fileDeadLetters(
    env.DB,
    Array.from({ length: count }, (_, n) => ({
      id: `letter-${from + n}`,
      queue: "ingest",
      subject: null,
      symbol: null,
      body: {},
      error: { code: "x", detail: "" },
      attempts: 1,
      createdAt: Date.now(),
    })),
  ).run();

async function minutes(count: number): Promise<void> {
  for (let minute = 0; minute < count; minute++) {
    passSeconds(60);
    await broker.tick(Date.now(), on);
    await broker.deliverDue("EVENTS_QUEUE");
  }
}
const about = (rule: string) => received.filter((one) => one.rule === rule);
const stateOf = async (rule: string) =>
  (
    await rows<{ state: string; value: number | null; pending: string }>(
      "SELECT state, value, pending FROM alerts WHERE rule = ?",
      rule,
    )
  )[0];
const auditOf = (rule: string) =>
  rows<{ action: string; actor: string }>(
    "SELECT action, actor FROM audit_log WHERE subject = ? ORDER BY id",
    rule,
  );

describe("dead letters over the limit", () => {
  it("are told once, by signed webhook and audit row, and that they are gone once", async () => {
    await minutes(1);
    expect(await stateOf("dead-letters")).toMatchObject({ state: "ok", value: 0 });
    await file(0, 9);
    await minutes(2);
    expect(received).toEqual([]);
    await file(9, 1);
    await minutes(10);
    expect(received).toMatchObject([
      {
        rule: "dead-letters",
        kind: "raised",
        severity: "critical",
        value: 10,
        raise: 10,
        clear: 5,
      },
    ]);
    expect(receivedIds).toEqual([received[0]?.id]);
    await env.DB.prepare(
      "UPDATE dead_letters SET state = 'discarded' WHERE id <> 'letter-0'",
    ).run();
    await minutes(3);
    expect(received.map(({ kind }) => kind)).toEqual(["raised", "cleared"]);
    expect(await auditOf("dead-letters")).toEqual([
      { action: "alert.raised", actor: "system" },
      { action: "alert.cleared", actor: "system" },
    ]);
  });

  it("are told by one of two ticks at once", async () => {
    await file(100, 20);
    passSeconds(60);
    await Promise.all([
      broker.tick(Date.now(), on),
      broker.tick(Date.now(), on),
      broker.tick(Date.now(), on),
    ]);
    await minutes(1);
    expect(new Set(received.map(({ id }) => id)).size).toBe(1);
    expect(
      (await auditOf("dead-letters")).filter(({ action }) => action === "alert.raised"),
    ).toHaveLength(2);
    await env.DB.prepare("DELETE FROM dead_letters").run();
    await minutes(1);
  });
});

describe("a receiver of alerts that is out", () => {
  it("is told later, under the same ids and in order, and its breaker spares it meanwhile", async () => {
    status = 503;
    await file(200, 20);
    await minutes(1);
    await env.DB.prepare("DELETE FROM dead_letters").run();
    await minutes(30);
    // Five failures open its breaker; from then on a probe now and then.
    expect(received.length).toBeGreaterThan(5);
    expect(received.length).toBeLessThan(20);
    expect(new Set(about("dead-letters").map(({ kind }) => kind))).toEqual(new Set(["raised"]));
    expect(JSON.parse((await stateOf("dead-letters"))?.pending ?? "")).toHaveLength(2);
    status = 204;
    await minutes(15);
    const [first] = about("dead-letters");
    const last = about("dead-letters").slice(-2);
    expect(last.map(({ kind }) => kind)).toEqual(["raised", "cleared"]);
    expect(last[0]?.id).toBe(first?.id);
    expect(receivedIds).toEqual(received.map(({ id }) => id));
    expect(await stateOf("dead-letters")).toMatchObject({ pending: "[]" });
  });

  it("or a database that cannot tell does not disturb the tick", async () => {
    status = 503;
    const before = await rows<{ wall_at: number }>("SELECT wall_at FROM clock");
    const { DB } = env;
    const prepare = DB.prepare.bind(DB);
    const spy = vi.spyOn(DB, "prepare").mockImplementation((sql) => {
      if (sql.includes("alerts")) throw new Error("no alerts today");
      return prepare(sql);
    });
    await minutes(1);
    spy.mockRestore();
    expect(
      (await rows<{ wall_at: number }>("SELECT wall_at FROM clock"))[0]?.wall_at,
    ).toBeGreaterThan(before[0]?.wall_at ?? 0);
  });
});

describe("the readings", () => {
  const reading = async (rule: string) => {
    await minutes(1);
    return (await stateOf(rule))?.value;
  };

  it("see how long jobs take and how many fail, in the last hour only", async () => {
    expect(await reading("mean-processing-time")).toBe(0);
    for (let n = 0; n < 40; n++) {
      const { jobId } = await enqueueJob("ingest", "READ", `${n}`);
      const startedAt = Date.now() - 900_000;
      await env.DB.prepare(
        "UPDATE jobs SET state = ?, attempts = ?, created_at = ?, due_at = NULL, finished_at = ? WHERE id = ?",
      )
        .bind(
          n < 10 ? "failed" : "succeeded",
          JSON.stringify([{ startedAt }]),
          startedAt,
          Date.now() - 100_000,
          jobId,
        )
        .run();
    }
    expect(await reading("mean-processing-time")).toBe(800);
    expect(await reading("error-rate")).toBe(0.25);
    await minutes(8);
    expect(received.map(({ rule, kind }) => [rule, kind])).toEqual(
      expect.arrayContaining([
        ["error-rate", "raised"],
        ["mean-processing-time", "raised"],
      ]),
    );
    passSeconds(3600);
    expect(await reading("mean-processing-time")).toBe(0);
    expect(await stateOf("error-rate")).toMatchObject({ state: "ok" });
  });

  it("see an open breaker of a source, and leave those of receivers to their owners", async () => {
    await env.BREAKERS.getByName("webhook:x").trip("webhook:x", "out", null, "test");
    await broker.settle();
    expect(await reading("open-breakers")).toBe(0);
    await env.BREAKERS.getByName("source:yahoo").trip("source:yahoo", "out", null, "test");
    await broker.settle();
    expect(await reading("open-breakers")).toBe(1);
    await minutes(11);
    expect(about("open-breakers")).toMatchObject([{ kind: "raised", severity: "warning" }]);
    await env.BREAKERS.getByName("source:yahoo").reset("source:yahoo", "back", "test");
    await broker.settle();
    expect(await reading("open-breakers")).toBe(0);
    expect(about("open-breakers").at(-1)).toMatchObject({ kind: "cleared" });
  });

  it("see how long events have not reached the read model, though the sweep nudges them all the time", async () => {
    broker.breakQueue("EVENTS_QUEUE");
    await env.DB.prepare(
      "INSERT INTO streams (stream_id, known_version, known_at, projected_version, behind_since) VALUES ('asset/LATE', 1, ?1, 0, ?1)",
    )
      .bind(Date.now())
      .run();
    await minutes(15);
    broker.repairQueue("EVENTS_QUEUE");
    expect((await stateOf("oldest-outbox-row"))?.value).toBe(900);
    expect(about("oldest-outbox-row")).toMatchObject([{ kind: "raised", severity: "critical" }]);
    await env.DB.prepare("DELETE FROM streams WHERE stream_id = 'asset/LATE'").run();
    expect(await reading("oldest-outbox-row")).toBe(0);
  });

  it("see the age of the oldest message, and nothing where no queue answers", async () => {
    const metrics = vi.spyOn(env.INGEST_QUEUE, "metrics").mockImplementation(async () => ({
      backlogCount: 3,
      backlogBytes: 300,
      oldestMessageTimestamp: new Date(Date.now() - 2_000_000),
    }));
    expect(await reading("oldest-message")).toBe(2000);
    metrics.mockRestore();
    expect(await reading("oldest-message")).toBe(0);
  });
});

describe("alerts in the back office", () => {
  it("are listed with rule, value, thresholds and since when", async () => {
    await file(300, 12);
    await minutes(1);
    const call = async (query: string) => {
      const answer = await exports.default.fetch(
        new Request(`http://127.0.0.1/api/v1/backoffice/alerts${query}`, {
          headers: { authorization: `Bearer ${env.ADMIN_API_KEY}` },
        }),
      );
      return { status: answer.status, body: (await answer.json()) as { items: unknown[] } };
    };
    expect((await call("")).body.items).toHaveLength(8);
    expect(await call("?state=raised")).toMatchObject({
      status: 200,
      body: {
        items: [
          {
            rule: "dead-letters",
            state: "raised",
            value: 12,
            raise: 10,
            clear: 5,
            since: new Date(Date.now()).toISOString(),
            pending: 0,
          },
        ],
      },
    });
    expect((await call("?state=bad")).status).toBe(400);
  });
});
