import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { api } from "../kit/api.ts";
import { Broker } from "../kit/broker.ts";
import { enqueueImport, job, openAsset, rows, stopClock } from "../kit/market.ts";
import { effectsOf, enqueueDays, expectAtRest, park } from "../kit/parked-jobs.ts";
import { audits, fileTestDeadLetters, path, show } from "../kit/stored-dead-letters.ts";

let broker: Broker;
beforeAll(() => {
  stopClock();
  broker = new Broker();
});
beforeEach(() => broker.settle());

describe("an edit", () => {
  it("of a message makes a new letter, linked both ways, and the old one can no longer be acted on", async () => {
    await openAsset("EDITS");
    const message = await enqueueImport("EDITS", "a", []);
    await fileTestDeadLetters(1, () => ({ id: "torn", body: { jobID: message.jobId } }));
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
      error: { code: "platform.unexpected" },
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
    const [first, second] = await enqueueDays("ORDERS", 2);
    if (first === undefined || second === undefined) throw new Error("no messages");
    const deadLetter = await park(broker, first);
    broker.put("INGEST_QUEUE", second);
    await broker.settle();
    // The upload was CSV all along.
    await env.IMPORTS.put(
      "ORDERS/00",
      "timestamp,open,high,low,close,volume\n2020-01-01,1,2,1,2,5\n",
    );
    const edited = await api("PATCH", path(deadLetter), { params: { format: "csv" } });
    expect(edited.body).toMatchObject({
      editedFrom: deadLetter,
      subject: `${first.jobId}~1`,
      symbol: "ORDERS",
    });
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
    const [first] = await enqueueDays("TWICE", 1);
    if (first === undefined) throw new Error("no message");
    const deadLetter = await park(broker, first);
    const once = await api("PATCH", path(deadLetter), { params: { format: "csv" } });
    const twice = await api("PATCH", path(String(once.body["id"])), { params: { format: "json" } });
    expect(twice.body).toMatchObject({ subject: `${first.jobId}~2`, editedFrom: once.body["id"] });
    await env.IMPORTS.delete("TWICE/00");
    await api("POST", path(String(twice.body["id"]), "redrive"));
    await broker.settle();
    expect(
      await rows(
        "SELECT version, event_type FROM events WHERE stream_id = ?",
        `job/${first.jobId}~2`,
      ),
    ).toEqual([{ version: 1, event_type: "JobFailed" }]);
    expect(
      await rows(
        "SELECT projected_version FROM streams WHERE stream_id = ?",
        `job/${first.jobId}~2`,
      ),
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
    [{ body: { streamId: "asset/REFUSES", version: 1, event: null } }, "body"],
    [{ body: { streamId: "asset/REFUSES", version: 2, event: { eventId: "forged" } } }, "body"],
    [{ body: { scheduleId: "nobody", slot: 1 } }, "body.scheduleId"],
    [{ body: { processId: "nobody" } }, "body.processId"],
    [{ body: { reconciliationId: "nobody", step: 0 } }, "body.reconciliationId"],
  ])("%j is refused, and nothing changes", async (body, field) => {
    await openAsset("REFUSES");
    await fileTestDeadLetters(1, () => ({ id: "kept" }));
    const message = await enqueueImport("REFUSES", "a", []);
    await env.DB.prepare("UPDATE dead_letters SET body = ?1, subject = ?2 WHERE id = 'kept'")
      .bind(JSON.stringify(message), message.jobId)
      .run();
    await env.DB.prepare("UPDATE jobs SET state = 'failed', due_at = NULL WHERE id = ?")
      .bind(message.jobId)
      .run();
    const before = await rows("SELECT * FROM dead_letters WHERE id = 'kept'");
    const answer = await api("PATCH", path("kept"), body);
    expect(answer.status).toBe(422);
    expect((answer.body["errors"] as { field: string }[]).map((error) => error.field)).toContain(
      field,
    );
    expect(await rows("SELECT * FROM dead_letters WHERE id = 'kept'")).toEqual(before);
    await env.DB.prepare("DELETE FROM dead_letters").run();
  });
});
