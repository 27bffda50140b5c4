import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { attemptsOf, RETRY_POLICIES } from "../../src/domain/job/retry-policy.ts";
import { fileDeadLetters } from "../../src/records/dead-letter-records.ts";
import { api, items } from "./api.ts";
import { Broker } from "./broker.ts";
import { job, openAsset, orderImport, orderJob, passSeconds, rows, START, stopClock } from "./market.ts";
import { effectsOf, expectAtRest, letterOf, letterState, orderDays, park } from "./parked.ts";

let broker: Broker;
beforeAll(() => {
  stopClock();
  broker = new Broker();
});
beforeEach(() => broker.settle());

const LETTERS = "/backoffice/dead-letters";
const path = (id: string, action = "") =>
  `${LETTERS}/${encodeURIComponent(id)}${action === "" ? "" : `/${action}`}`;
const show = async (id: string) => (await api("GET", path(id))).body;
const audits = (subject: string) =>
  rows<{ action: string; outcome: string; actor: string; detail: string | null }>(
    "SELECT action, outcome, actor, detail FROM audit_log WHERE subject = ? ORDER BY id",
    subject,
  );

/** Letters about nothing in particular, each a second after the one before. */
async function fileLetters(
  count: number,
  changes: (n: number) => Partial<Parameters<typeof fileDeadLetters>[1][number]>,
): Promise<void> {
  const letters = Array.from({ length: count }, (_, n) => ({
    id: `filed-${n}`,
    queue: "unknown",
    subject: null,
    symbol: null,
    body: { n },
    error: { code: "unexpected", detail: `failed ${n} times` },
    attempts: 1,
    createdAt: START + n * 1000,
    ...changes(n),
  }));
  await fileDeadLetters(env.DB, letters).run();
}

describe("a dead letter", () => {
  it("keeps body, error, attempts, first and last time, fingerprint, class and trace", async () => {
    await openAsset("KEEPS");
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const message = await orderJob("recommendation", "KEEPS", "a", { traceparent });
    broker.put("RECOMMENDATIONS_QUEUE", message);
    const attempts = attemptsOf(RETRY_POLICIES.recommendation);
    for (let attempt = 1; attempt <= attempts; attempt++) {
      passSeconds(3600);
      await broker.deliverDue("RECOMMENDATIONS_QUEUE");
    }
    const record = await job(message.jobId);
    const [letter] = await items(`${LETTERS}?symbol=KEEPS`);
    expect(letter).toMatchObject({
      queue: "recommendation",
      subject: message.jobId,
      symbol: "KEEPS",
      body: { jobId: message.jobId, kind: "recommendation", symbol: "KEEPS" },
      error: { code: "analysis_not_ready" },
      attempts,
      faultClass: "transient",
      state: "open",
      editedFrom: null,
      editedTo: null,
      // The trace of the order; each attempt is a span of its own in it.
      traceparent: expect.stringContaining("0af7651916cd43dd8448eb211c80319c"),
    });
    expect(letter?.["fingerprint"]).toMatch(/^[0-9a-f]{16}$/);
    expect(letter?.["firstAt"]).toBe(new Date(record.attempts[0]?.endedAt ?? 0).toISOString());
    expect(letter?.["lastAt"]).toBe(new Date(record.attempts.at(-1)?.endedAt ?? 0).toISOString());
    expect(Date.parse(String(letter?.["lastAt"])) - Date.parse(String(letter?.["firstAt"]))).toBe(
      (attempts - 1) * 3_600_000,
    );
    expect((await api("POST", path(String(letter?.["id"]), "discard"), { reason: "a test" })).status).toBe(
      200,
    );
  });

  it("is found by state, queue, symbol, cause and time, newest first, page by page", async () => {
    await fileLetters(30, (n) => ({
      queue: n % 2 === 0 ? "even" : "odd",
      symbol: n < 10 ? "FINDS" : null,
      error: { code: "unexpected", detail: n % 3 === 0 ? `third ${n}` : `other ${n}` },
    }));
    const ids = async (query: string) => (await items(`${LETTERS}?${query}`)).map(({ id }) => id);
    expect(await ids("queue=odd&limit=3")).toEqual(["filed-29", "filed-27", "filed-25"]);
    expect(await ids("symbol=FINDS&queue=even")).toEqual([
      "filed-8",
      "filed-6",
      "filed-4",
      "filed-2",
      "filed-0",
    ]);
    const at = (n: number) => new Date(START + n * 1000).toISOString();
    expect(await ids(`queue=even&after=${at(10)}&before=${at(14)}`)).toEqual(["filed-12", "filed-10"]);
    const { fingerprint } = await show("filed-3");
    expect(await ids(`fingerprint=${fingerprint}`)).toHaveLength(5);
    let query = `${LETTERS}?queue=odd&limit=4`;
    const seen: unknown[] = [];
    for (;;) {
      const { body } = await api("GET", query);
      seen.push(...(body["items"] as { id: string }[]).map(({ id }) => id));
      if (body["nextCursor"] === null) break;
      query = `${LETTERS}?queue=odd&limit=4&cursor=${body["nextCursor"]}`;
    }
    expect(seen).toEqual(Array.from({ length: 15 }, (_, n) => `filed-${29 - 2 * n}`));
    expect(await ids("state=discarded&queue=odd")).toEqual([]);
  });

  it("is summed up by its cause, the most frequent first, with the newest as example", async () => {
    const { body } = await api("GET", `${LETTERS}/summary`);
    const causes = body["items"] as { count: number; oldestAt: string; example: { id: string } }[];
    expect(causes.map(({ count }) => count)).toEqual([10, 10, 5, 5]);
    expect(causes.flatMap(({ example }) => example.id).toSorted()).toEqual(
      ["filed-27", "filed-24", "filed-29", "filed-28"].toSorted(),
    );
    expect(causes.map(({ oldestAt }) => Date.parse(oldestAt) - START).toSorted((a, b) => a - b)).toEqual([
      0, 1000, 2000, 3000,
    ]);
    expect((await api("GET", `${LETTERS}/summary?state=superseded`)).body).toEqual({ items: [] });
    await env.DB.prepare("DELETE FROM dead_letters WHERE id LIKE 'filed-%'").run();
  });

  it("that was closed is forgotten after its time, a step at a time; an open one never", async () => {
    await fileLetters(700, () => ({ createdAt: Date.now() }));
    await env.DB.prepare("UPDATE dead_letters SET state = 'discarded' WHERE id <> 'filed-7'").run();
    const left = async () => (await rows<{ n: number }>("SELECT count(*) AS n FROM dead_letters"))[0]?.n ?? 0;
    const all = await left();
    passSeconds(Number(env.DEAD_LETTER_RETENTION_DAYS) * 86_400 - 60);
    await broker.tick();
    expect(await left()).toBe(all);
    passSeconds(120);
    await broker.tick();
    expect(await left()).toBe(all - 500);
    await broker.tick();
    expect(await rows("SELECT id FROM dead_letters WHERE id LIKE 'filed-%'")).toEqual([{ id: "filed-7" }]);
    await env.DB.prepare("DELETE FROM dead_letters").run();
  });
});

describe("an edit", () => {
  it("of a message makes a new letter, linked both ways, and the old one can no longer be acted on", async () => {
    await openAsset("EDITS");
    const message = await orderImport("EDITS", "a", []);
    await fileLetters(1, () => ({ id: "torn", body: { jobID: message.jobId } }));
    const edited = await api("PATCH", path("torn"), { body: { ...message } });
    expect(edited.status).toBe(200);
    expect(edited.body).toMatchObject({
      editedFrom: "torn",
      editedTo: null,
      state: "open",
      queue: "ingest",
      subject: message.jobId,
      symbol: "EDITS",
      body: message,
      error: { code: "unexpected" },
    });
    const { id } = edited.body;
    expect(id).not.toBe("torn");
    expect(await show("torn")).toMatchObject({
      state: "superseded",
      editedTo: id,
      body: { jobID: message.jobId },
    });
    for (const action of ["redrive", "dry-run"]) {
      expect((await api("POST", path("torn", action))).status).toBe(409);
    }
    expect((await api("PATCH", path("torn"), { body: { ...message } })).status).toBe(409);
    expect(await audits("torn")).toMatchObject([
      { action: "dead-letter.edit", outcome: "done", actor: "admin", detail: `edited into ${id}` },
      { action: "dead-letter.redrive", outcome: "refused" },
      { action: "dead-letter.dry-run", outcome: "refused" },
      { action: "dead-letter.edit", outcome: "refused" },
    ]);
  });

  it("of an order runs a new one in the old one's place, while later ones wait", async () => {
    await openAsset("ORDERS");
    const [first, second] = await orderDays("ORDERS", 2);
    if (first === undefined || second === undefined) throw new Error("no messages");
    const letter = await park(broker, first);
    broker.put("INGEST_QUEUE", second);
    await broker.settle();
    // The upload was CSV all along.
    await env.IMPORTS.put("ORDERS/00", "timestamp,open,high,low,close,volume\n2020-01-01,1,2,1,2,5\n");
    const edited = await api("PATCH", path(letter), { params: { format: "csv" } });
    expect(edited.body).toMatchObject({ editedFrom: letter, subject: `${first.jobId}~1`, symbol: "ORDERS" });
    const order = await job(`${first.jobId}~1`);
    const old = await job(first.jobId);
    expect(order).toMatchObject({
      state: "failed",
      attempts: [],
      actor: "admin",
      correlationId: old.correlationId,
      createdAt: old.createdAt,
      params: { mode: "import", objectKey: "ORDERS/00", format: "csv" },
    });
    await broker.tick();
    await broker.settle();
    expect(await effectsOf("ORDERS")).toEqual([]);
    expect((await api("POST", path(String(edited.body["id"]), "redrive"))).status).toBe(202);
    await broker.settle();
    expect(await effectsOf("ORDERS")).toEqual(["00~1", "01"]);
    expect(await job(`${first.jobId}~1`)).toMatchObject({ state: "succeeded", redrives: 0 });
    expect(await job(first.jobId)).toMatchObject({ state: "failed" });
    await expectAtRest("ORDERS");
  });

  it("can be edited again, and its order's first failure is the first event of its stream", async () => {
    await openAsset("TWICE");
    const [first] = await orderDays("TWICE", 1);
    if (first === undefined) throw new Error("no message");
    const letter = await park(broker, first);
    const once = await api("PATCH", path(letter), { params: { format: "csv" } });
    const twice = await api("PATCH", path(String(once.body["id"])), { params: { format: "json" } });
    expect(twice.body).toMatchObject({ subject: `${first.jobId}~2`, editedFrom: once.body["id"] });
    await env.IMPORTS.delete("TWICE/00");
    await api("POST", path(String(twice.body["id"]), "redrive"));
    await broker.settle();
    expect(
      await rows("SELECT version, event_type FROM events WHERE stream_id = ?", `job/${first.jobId}~2`),
    ).toEqual([{ version: 1, event_type: "JobFailed" }]);
    expect(
      await rows("SELECT projected_version FROM streams WHERE stream_id = ?", `job/${first.jobId}~2`),
    ).toEqual([{ projected_version: 1 }]);
    await expectAtRest("TWICE");
  });

  it.each([
    [{ params: { until: "2030-01-01" } }, "params.until"],
    [{ params: {} }, "params"],
    [{ params: { format: "xml" } }, "params.format"],
    [{ params: { format: "csv" }, body: {} }, "body"],
    [{}, "body"],
    [{ body: { jobId: "ingest|NOBODY|x", kind: "ingest", symbol: "NOBODY" } }, "body.jobId"],
    [{ body: { deliveryId: "nobody" } }, "body.deliveryId"],
    [{ body: { hello: "world" } }, "body"],
  ])("%j is refused, and nothing changes", async (body, field) => {
    await openAsset("REFUSES");
    await fileLetters(1, () => ({ id: "kept" }));
    const message = await orderImport("REFUSES", "a", []);
    await env.DB.prepare("UPDATE dead_letters SET body = ?1, subject = ?2 WHERE id = 'kept'")
      .bind(JSON.stringify(message), message.jobId)
      .run();
    await env.DB.prepare("UPDATE jobs SET state = 'failed', due_at = NULL WHERE id = ?")
      .bind(message.jobId)
      .run();
    const before = await rows("SELECT * FROM dead_letters WHERE id = 'kept'");
    const answer = await api("PATCH", path("kept"), body);
    expect(answer.status).toBe(422);
    expect((answer.body["errors"] as { field: string }[]).map((error) => error.field)).toContain(field);
    expect(await rows("SELECT * FROM dead_letters WHERE id = 'kept'")).toEqual(before);
    await env.DB.prepare("DELETE FROM dead_letters").run();
  });
});

describe("dealing with many at once", () => {
  const lines = async (prefix: string, count: number) => {
    for (let n = 0; n < count; n++) {
      await openAsset(`${prefix}${n}`);
      await broker.settle();
      const [first, ...later] = await orderDays(`${prefix}${n}`, 3);
      if (first === undefined) throw new Error("no message");
      await park(broker, first);
      broker.put("INGEST_QUEUE", ...later);
    }
    await broker.settle();
  };

  it("counts first, refuses another count, and then redrives each asset's work in order", async () => {
    await lines("MANY", 4);
    const filter = { queue: "ingest", after: new Date(Date.now() - 1000).toISOString() };
    const counted = await api("POST", `${LETTERS}/redrive`, { filter });
    expect(counted).toMatchObject({ status: 200, body: { matching: 4, assets: 4, done: 0, remaining: 4 } });
    for (const wrong of [0, 3, 5]) {
      const refused = await api("POST", `${LETTERS}/redrive`, { filter, expect: wrong });
      expect(refused).toMatchObject({
        status: 409,
        body: { code: "conflict", errors: [{ field: "expect", value: "4" }] },
      });
    }
    expect(await rows("SELECT 1 FROM dead_letters WHERE state <> 'open' AND symbol LIKE 'MANY%'")).toEqual(
      [],
    );
    const done = await api("POST", `${LETTERS}/redrive`, { filter, expect: 4 });
    expect(done).toMatchObject({ status: 200, body: { matching: 4, done: 4, remaining: 0 } });
    await broker.settle();
    for (let n = 0; n < 4; n++) {
      expect(await effectsOf(`MANY${n}`)).toEqual(["00", "01", "02"]);
      await expectAtRest(`MANY${n}`);
    }
    const subject = `dead-letters ${JSON.stringify({ ...filter, after: Date.parse(filter.after) })}`;
    expect((await audits(subject)).map(({ action, outcome }) => [action, outcome])).toEqual([
      ["dead-letter.redrive-many", "refused"],
      ["dead-letter.redrive-many", "refused"],
      ["dead-letter.redrive-many", "refused"],
      ["dead-letter.redrive-many", "done"],
    ]);
    const letters = await rows<{ id: string }>("SELECT id FROM dead_letters WHERE symbol LIKE 'MANY%'");
    for (const { id } of letters) {
      expect(await audits(id)).toMatchObject([
        { action: "dead-letter.redrive", outcome: "done", actor: "admin" },
      ]);
    }
  });

  it("takes 500 at a time, oldest first, and tells how many are left", async () => {
    await fileLetters(620, (n) => ({
      id: `slot-${n}`,
      queue: "schedule",
      body: { scheduleId: "none", slot: n },
    }));
    const filter = { queue: "schedule" };
    const first = await api("POST", `${LETTERS}/redrive`, { filter, expect: 620 });
    expect(first.body).toMatchObject({ matching: 620, done: 500, remaining: 120 });
    expect(await letterState("slot-499")).toBe("redriven");
    expect(await letterState("slot-500")).toBe("open");
    expect(broker.take("SCHEDULE_QUEUE").length).toBe(500);
    const second = await api("POST", `${LETTERS}/redrive`, { filter, expect: 120 });
    expect(second.body).toMatchObject({ done: 120, remaining: 0 });
    broker.take("SCHEDULE_QUEUE");
  });

  it("leaves everything open when the queue of events and slots does not take them", async () => {
    await fileLetters(3, (n) => ({
      id: `out-${n}`,
      queue: "schedule",
      body: { scheduleId: "none", slot: n },
    }));
    broker.breakQueue("SCHEDULE_QUEUE");
    expect(
      (await api("POST", `${LETTERS}/redrive`, { filter: { queue: "schedule" }, expect: 3 })).status,
    ).toBe(503);
    expect((await api("POST", path("out-0", "redrive"))).status).toBe(503);
    broker.repairQueue("SCHEDULE_QUEUE");
    expect(await items(`${LETTERS}?queue=schedule`)).toHaveLength(3);
    expect((await api("POST", path("out-0", "redrive"))).status).toBe(202);
    broker.take("SCHEDULE_QUEUE");
    await env.DB.prepare("DELETE FROM dead_letters WHERE id LIKE 'out-%'").run();
  });

  it("discards with a reason, and what waited runs", async () => {
    await lines("DROP", 3);
    const filter = { queue: "ingest", symbol: "DROP1" };
    const bare = await api("POST", `${LETTERS}/discard`, { filter, expect: 1 });
    expect(bare).toMatchObject({ status: 422, body: { errors: [{ field: "reason" }] } });
    expect((await api("POST", `${LETTERS}/discard`, { filter })).body).toMatchObject({
      matching: 1,
      done: 0,
    });
    const done = await api("POST", `${LETTERS}/discard`, { filter, expect: 1, reason: "not needed" });
    expect(done).toMatchObject({ status: 200, body: { done: 1 } });
    const [letter] = await items(`${LETTERS}?state=discarded&symbol=DROP1`);
    expect(letter).toMatchObject({ reason: "not needed", actor: "admin", state: "discarded" });
    expect(await audits(String(letter?.["id"]))).toMatchObject([
      { action: "dead-letter.discard", outcome: "done", detail: "not needed" },
    ]);
    await broker.settle();
    expect(await effectsOf("DROP1")).toEqual(["01", "02"]);
    expect(await effectsOf("DROP0")).toEqual([]);
  });
});

describe("redriving one", () => {
  it("is refused while an earlier one of the same asset is open, and names it", async () => {
    await openAsset("FIRST");
    const [a, b] = await orderDays("FIRST", 2);
    if (a === undefined || b === undefined) throw new Error("no messages");
    const second = await park(broker, b);
    const first = await park(broker, a);
    const refused = await api("POST", path(second, "redrive"));
    expect(refused).toMatchObject({ status: 409, body: { errors: [{ field: "id", value: first }] } });
    expect(await letterState(second)).toBe("open");
    expect((await api("POST", path(first, "redrive"))).status).toBe(202);
    // While the first is under way the second may follow: it waits its turn.
    expect((await api("POST", path(second, "redrive"))).status).toBe(202);
    await broker.settle((letters) => letters.toReversed());
    expect(await effectsOf("FIRST")).toEqual(["00", "01"]);
    expect([await letterState(first), await letterState(second)]).toEqual(["redriven", "redriven"]);
    await expectAtRest("FIRST");
    expect(await audits(second)).toMatchObject([
      { action: "dead-letter.redrive", outcome: "refused", actor: "admin" },
      { action: "dead-letter.redrive", outcome: "done", actor: "admin" },
    ]);
  });

  it("by two people at once happens once", async () => {
    await openAsset("BOTH");
    const [message] = await orderDays("BOTH", 1);
    if (message === undefined) throw new Error("no message");
    const letter = await park(broker, message);
    const answers = await Promise.all([1, 2, 3].map(() => api("POST", path(letter, "redrive"))));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([202, 409, 409]);
    expect((await audits(letter)).filter(({ outcome }) => outcome === "done")).toHaveLength(1);
    expect((await job(message.jobId)).redrives).toBe(1);
    await broker.settle();
    expect(await effectsOf("BOTH")).toEqual(["00"]);
  });

  it("closes a letter whose job has succeeded meanwhile, and does nothing", async () => {
    await openAsset("DONE");
    const [message] = await orderDays("DONE", 1);
    broker.put("INGEST_QUEUE", message);
    await broker.settle();
    await broker.deliver("DEAD_LETTERS_QUEUE", [letterOf("late letter", message)]);
    broker.put("INGEST_QUEUE", ...(await orderDays("DONE", 1, 1)));
    await broker.settle();
    // It keeps nobody back, either.
    expect(await effectsOf("DONE")).toEqual(["00", "01"]);
    expect((await api("POST", path("late letter", "redrive"))).body).toMatchObject({ state: "redriven" });
    expect(await job(message?.jobId ?? "")).toMatchObject({ state: "succeeded", redrives: 0 });
  });
});

describe("an event stored at an old version of its shape", () => {
  it("is redriven through today's upcasters", async () => {
    const streamId = "job/ingest|OLD|x";
    const event = {
      eventId: "01890000-0000-7000-8000-000000000001",
      eventType: "JobFailed",
      schemaVersion: 1,
      streamId,
      version: 1,
      occurredAt: "2029-01-01T00:00:00.000Z",
      tenantId: "default",
      actorId: "scheduler",
      jobId: "ingest|OLD|x",
      correlationId: "old",
      causationId: null,
      payload: {
        jobId: "ingest|OLD|x",
        kind: "ingest",
        symbol: "OLD",
        attempts: 1,
        error: { code: "bars_refused", detail: "2 rows" },
      },
    };
    await broker.deliver("DEAD_LETTERS_QUEUE", [letterOf("old event", { streamId, version: 1, event })]);
    const plan = await api("POST", path("old event", "dry-run"));
    expect(plan.body).toMatchObject({
      wouldSendTo: "events",
      outcome: "done",
      events: [{ eventType: "JobFailed", schemaVersion: 2, payload: { faultClass: "permanent" } }],
      rows: { events: 1 },
    });
    expect(await rows("SELECT 1 FROM events WHERE stream_id = ?", streamId)).toEqual([]);
    expect((await api("POST", path("old event", "redrive"))).status).toBe(202);
    await broker.settle();
    // The log keeps what was written; the API tells it in today's shape.
    expect(
      await rows(
        "SELECT json_extract(body, '$.schemaVersion') AS v FROM events WHERE stream_id = ?",
        streamId,
      ),
    ).toEqual([{ v: 1 }]);
    expect((await api("GET", `/events/${event.eventId}`)).body).toMatchObject({
      schemaVersion: 2,
      payload: { faultClass: "permanent" },
    });
  });
});
