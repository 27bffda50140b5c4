import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { requestRun } from "../../../src/records/operations/reconciliation-records.ts";
import { api } from "../kit/api.ts";
import { Broker } from "../kit/broker.ts";
import { openEndpoint } from "../kit/endpoints.ts";
import { job, openAsset, rows, stopClock } from "../kit/market.ts";
import { deadLetterOf, effectsOf, enqueueDays } from "../kit/parked-jobs.ts";
import { path, show } from "../kit/stored-dead-letters.ts";

let broker: Broker;
beforeAll(() => {
  stopClock();
  broker = new Broker();
});

/** The queue brings a message to its dead letters. */
const dies = (id: string, body: unknown) =>
  broker.deliver("DEAD_LETTERS_QUEUE", [deadLetterOf(id, body)]);
const redrive = async (id: string) =>
  expect((await api("POST", path(id, "redrive"))).status).toBe(202);

/*
 * The acknowledgement of a dead letter may be lost like any other. By the time its message comes again somebody may have
 * put the work back: it must not fail once more for what it failed for then.
 */
describe("a dead letter's message that comes again after a redrive", () => {
  it("leaves the job alone, which ends well", async () => {
    await openAsset("AGAIN");
    const [message] = await enqueueDays("AGAIN", 1);
    if (message === undefined) throw new Error("no message");
    await dies("job again", message);
    expect((await job(message.jobId)).state).toBe("failed");
    await redrive("job again");
    expect((await dies("job again", message)).acked).toEqual(["job again"]);
    expect((await job(message.jobId)).state).not.toBe("failed");
    await broker.settle();
    expect(await job(message.jobId)).toMatchObject({ state: "succeeded", redrives: 1 });
    expect(await effectsOf("AGAIN")).toEqual(["00"]);
    expect(await show("job again")).toMatchObject({ state: "redriven" });
    expect(
      await rows("SELECT version FROM events WHERE stream_id = ?", `job/${message.jobId}`),
    ).toHaveLength(1);
  });

  it("leaves the delivery and the comparison alone", async () => {
    const { both, standing } = await openWork("one");
    await both();
    expect(await standing()).toEqual({ delivery: "failed", run: "failed" });
    await redrive("delivery one");
    await redrive("run one");
    await both();
    expect(await standing()).toEqual({ delivery: "pending", run: "running" });
  });

  it("does so even if two consumers have it in hand, and the redrive comes between them", async () => {
    const { dead, standing } = await openWork("two");
    await openAsset("TWO");
    const [message] = await enqueueDays("TWO", 1);
    if (message === undefined) throw new Error("no message");
    for (const [id, body] of [...dead, ["job two", message]] as const) {
      const real = env.DB.batch.bind(env.DB);
      const late = vi.spyOn(env.DB, "batch").mockImplementationOnce(async (statements) => {
        await dies(id, body);
        await redrive(id);
        return real(statements);
      });
      await dies(id, body);
      late.mockRestore();
    }
    expect(await standing()).toEqual({ delivery: "pending", run: "running" });
    expect(await job(message.jobId)).toMatchObject({ redrives: 1, finishedAt: null });
  });
});

/** A delivery and a comparison that are open, and the messages about them. */
async function openWork(name: string) {
  const { id: endpointId } = await openEndpoint(name, ["#"]);
  await env.DB.prepare(
    `INSERT INTO deliveries (id, endpoint_id, event_id, event_type, state, attempts, created_at, due_at)
     VALUES (?1, ?1, ?1, 'AssetRegistered', 'pending', '[]', 1, 1)`,
  )
    .bind(endpointId)
    .run();
  const manual = { trigger: "manual", actor: "somebody", depth: "bulk", repair: true } as const;
  await requestRun(
    env.DB,
    { id: name, ...manual, symbols: null, traceparent: null },
    Date.now(),
  ).run();
  const stateIn = async (table: string) =>
    (await rows<{ state: string }>(`SELECT state FROM ${table} WHERE id = ?`, name))[0]?.state;
  const dead = [
    [`delivery ${name}`, { deliveryId: name }],
    [`run ${name}`, { reconciliationId: name, step: 0 }],
  ] as const;
  return {
    dead,
    both: async () => {
      for (const [id, body] of dead) await dies(id, body);
    },
    standing: async () => ({
      delivery: await stateIn("deliveries"),
      run: await stateIn("reconciliations"),
    }),
  };
}
