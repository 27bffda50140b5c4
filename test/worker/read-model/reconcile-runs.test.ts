import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { PAGE } from "../../../src/queues/reconcile/reconcile.ts";
import { Broker } from "../kit/broker.ts";
import { spyOnCalls } from "../kit/faults.ts";
import { openAsset, passSeconds, rows, stopClock } from "../kit/market.ts";
import { damage, finish, grow, hurt, order, reconcile, runOf } from "../kit/reconciled-asset.ts";

let broker: Broker;
beforeAll(() => {
  stopClock();
  broker = new Broker();
});
beforeEach(() => broker.settle());

const GRACE = Number(env.SWEEP_AFTER_SECONDS) + 1;

describe("a run", () => {
  it("of the schedule starts once in its time, and not beside another", async () => {
    const daily = { ...env, RECONCILE_EVERY_HOURS: "24" };
    const scheduled = () =>
      rows<{ id: string; state: string }>(
        "SELECT id, state FROM reconciliations WHERE trigger = 'schedule'",
      );
    await broker.tick(Date.now(), env);
    expect(await scheduled()).toEqual([]);
    await Promise.all([broker.tick(Date.now(), daily), broker.tick(Date.now(), daily)]);
    const [run] = await scheduled();
    passSeconds(25 * 3_600);
    await broker.tick(Date.now(), daily);
    expect(await scheduled()).toHaveLength(1);
    await finish(broker, run?.id ?? "");
    await broker.tick(Date.now(), daily);
    expect(await scheduled()).toHaveLength(2);
    await broker.settle();
    passSeconds(12 * 3_600);
    await broker.tick(Date.now(), daily);
    expect(await scheduled()).toHaveLength(2);
  });

  it("compares hundreds of assets in bounded work for each message", {
    timeout: 120_000,
  }, async () => {
    const symbols = Array.from({ length: 300 }, (_, n) => `MANY${String(n).padStart(3, "0")}`);
    for (const symbol of symbols) await openAsset(symbol);
    await broker.settle();
    await damage("DELETE FROM streams WHERE stream_id = 'asset/MANY150'");
    passSeconds(GRACE);
    const id = await order(broker, { depth: "bulk" });
    let most = { calls: 0, statements: 0 };
    let messages = 0;
    for (; (await runOf(id)).finishedAt === null; messages++) {
      const spy = spyOnCalls();
      const moved = await broker.deliverDue("RECONCILE_QUEUE");
      const { objectCalls, statements } = spy.stop();
      most = {
        calls: Math.max(most.calls, objectCalls),
        statements: Math.max(most.statements, statements),
      };
      await broker.deliverDue("EVENTS_QUEUE");
      if (moved === 0) passSeconds(6);
    }
    const run = await runOf(id);
    expect(run.checked).toBeGreaterThanOrEqual(300);
    expect(run).toMatchObject({ state: "done", diverged: 1, repaired: 1 });
    expect(most.calls).toBeLessThanOrEqual(PAGE + 10);
    // Of a page of heads and of the streams whose rows are compared, table by table.
    expect(most.statements).toBeLessThanOrEqual(90);
    expect(messages).toBeGreaterThan(3);
  });

  it("compares the rows of those that have waited longest, some at a time", async () => {
    await damage("UPDATE streams SET verified_at = ?", Date.now());
    for (const symbol of ["WAITED1", "WAITED2"]) await grow(broker, symbol, 3);
    await damage("UPDATE bars SET close = 1 WHERE symbol = 'WAITED2'");
    passSeconds(1);
    const run = await reconcile(broker, { depth: "bulk" });
    expect(run.divergences).toMatchObject([
      { stream: "asset/WAITED2", projection: "bars", proven: true },
    ]);
    expect(await rows("SELECT stream_id FROM streams WHERE verified_at IS NULL")).toEqual([
      // The run's own events came after it looked.
      { stream_id: `reconciliation/${run.id}` },
    ]);
    expect(run.verified).toBeLessThanOrEqual(Number(env.RECONCILE_DEEP_STREAMS));
  });

  it("does nothing twice for doubled messages", async () => {
    await grow(broker, "TWICE");
    await hurt("TWICE");
    const whole = await runOnce("TWICE", 1);
    await hurt("TWICE");
    const doubled = await runOnce("TWICE", 3);
    expect(doubled.steps).toBe(whole.steps);
    expect(doubled.facts).toBe(whole.facts);
  });

  it("goes no second way when an old message comes again", async () => {
    await grow(broker, "STRAY");
    await hurt("STRAY");
    const id = await order(broker, { symbols: ["STRAY"] });
    const deadLetters = broker.take("RECONCILE_QUEUE");
    await broker.deliver("RECONCILE_QUEUE", deadLetters);
    const next = broker.waiting("RECONCILE_QUEUE").length;
    expect(next).toBe(1);
    await broker.deliver("RECONCILE_QUEUE", deadLetters);
    expect(broker.waiting("RECONCILE_QUEUE")).toHaveLength(next);
    expect(await finish(broker, id)).toMatchObject({ state: "done", unrepaired: 0 });
  });

  it("whose message is lost is found by the sweep", async () => {
    await grow(broker, "SWEPT");
    await damage("DELETE FROM bars WHERE symbol = 'SWEPT'");
    const id = await order(broker, { symbols: ["SWEPT"] });
    for (let lost = 0; (await runOf(id)).finishedAt === null && lost < 20; lost++) {
      broker.take("RECONCILE_QUEUE");
      passSeconds(GRACE);
      await broker.tick();
      await broker.deliverDue("RECONCILE_QUEUE");
    }
    expect(await runOf(id)).toMatchObject({ state: "done", repaired: 1 });
  });

  it("whose message the queue gives up on is failed, and goes on when its letter is redriven", async () => {
    await grow(broker, "LETTER");
    const id = await order(broker, { symbols: ["LETTER"] });
    const [deadLetter] = broker.take("RECONCILE_QUEUE");
    broker.put("DEAD_LETTERS_QUEUE", deadLetter?.body);
    await broker.settle();
    expect(await runOf(id)).toMatchObject({ state: "failed" });
    const [filed] = await rows<{ id: string; queue: string }>(
      "SELECT id, queue FROM dead_letters WHERE subject = ?",
      id,
    );
    expect(filed?.queue).toBe("reconcile");
    const { exports } = await import("cloudflare:workers");
    const answer = await exports.default.fetch(
      new Request(`http://127.0.0.1/api/v1/backoffice/dead-letters/${filed?.id}/redrive`, {
        method: "POST",
        headers: { authorization: "Bearer test-admin-key-0123456789" },
      }),
    );
    expect(answer.status).toBe(202);
    expect(await finish(broker, id)).toMatchObject({ state: "done", verified: 1 });
  });
});

/** Carries a run to its end with every message delivered `times` at once. */
async function runOnce(symbol: string, times: number) {
  const id = await order(broker, { symbols: [symbol] });
  for (let round = 0; (await runOf(id)).finishedAt === null && round < 40; round++) {
    const deadLetters = broker.take("RECONCILE_QUEUE");
    const due = deadLetters.filter(({ notBefore }) => notBefore <= Date.now());
    for (const deadLetter of deadLetters.filter((one) => !due.includes(one)))
      broker.put("RECONCILE_QUEUE", deadLetter.body);
    await Promise.all(
      due.flatMap((deadLetter) =>
        Array.from({ length: times }, () => broker.deliver("RECONCILE_QUEUE", [deadLetter])),
      ),
    );
    await broker.deliverDue("EVENTS_QUEUE");
    passSeconds(2);
  }
  const [run] = await rows<{ steps: number; facts: number }>(
    "SELECT step AS steps, facts FROM reconciliations WHERE id = ? AND state = 'done'",
    id,
  );
  if (run === undefined) throw new Error("the run did not end");
  return run;
}
