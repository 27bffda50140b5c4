import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { portfolioDeps } from "../../../src/wiring/consumers/portfolios.ts";
import { platform } from "../../../src/wiring/platform/platform.ts";
import { api, items } from "../kit/api.ts";
import { Broker } from "../kit/broker.ts";
import {
  days,
  enqueueImport,
  job,
  openAsset,
  passSeconds,
  rows,
  stopClock,
} from "../kit/market.ts";
import { deadLetterOf, deadLetterState, park } from "../kit/parked-jobs.ts";
import {
  type Ordered,
  openPortfolio,
  openSeries,
  order,
  recordOf,
  shown,
  wave,
} from "../kit/portfolio-market.ts";
import { show } from "../kit/stored-dead-letters.ts";

const OVERDUE = Number(env.SWEEP_AFTER_SECONDS) + 1;
const CALM = { method: "minVolatility" };

let broker: Broker;
let portfolio = "";
beforeAll(async () => {
  stopClock();
  broker = new Broker();
  await openSeries(broker, { JA: wave(1), JB: wave(2), JC: wave(3) });
});
beforeEach(async () => {
  portfolio = await openPortfolio(["JA", "JB", "JC"]);
});

const message = ({ jobId }: Ordered) => ({
  jobId,
  kind: "portfolio",
  symbol: `portfolio/${portfolio}`,
});

/** One event, one result, one finished job: the effect happened, once. */
async function expectOnce(ordered: Ordered): Promise<void> {
  const { events, results } = await recordOf(portfolio);
  expect(events).toEqual([{ version: 1, event_type: "PortfolioOptimized", job_id: ordered.jobId }]);
  expect(results).toHaveLength(1);
  expect(results[0]?.["result"]).toEqual(expect.stringContaining('"weights"'));
  expect((await job(ordered.jobId)).state).toBe("succeeded");
  const [stream] = await rows(
    "SELECT * FROM streams WHERE stream_id = ?",
    `portfolio/${portfolio}`,
  );
  expect(stream).toMatchObject({ known_version: 1, projected_version: 1 });
}

describe("the effect of an optimisation happens once", () => {
  it("when its message comes again, doubled and after it is done", async () => {
    const ordered = await order(portfolio, CALM);
    await broker.settle((deadLetters) => [...deadLetters, ...deadLetters].reverse());
    broker.put("PORTFOLIOS_QUEUE", message(ordered), message(ordered));
    await broker.settle();
    await expectOnce(ordered);
  });

  it("when two workers have it in hand at once", async () => {
    const ordered = await order(portfolio, CALM);
    broker.take("PORTFOLIOS_QUEUE");
    await Promise.all(
      ["one", "two", "three"].map((id) =>
        broker.deliver("PORTFOLIOS_QUEUE", [deadLetterOf(id, message(ordered))]),
      ),
    );
    await broker.settle();
    await expectOnce(ordered);
  });

  it("when both have computed before either writes, and the second is told what stands", async () => {
    const other = await openPortfolio(["JA", "JB"]);
    const template = await order(other, CALM);
    const ordered = await order(portfolio, CALM);
    await broker.deliver("PORTFOLIOS_QUEUE", broker.take("PORTFOLIOS_QUEUE").slice(0, 1));
    const deps = portfolioDeps(platform(env));
    const record = await job(ordered.jobId);
    const computed = await deps.existingResult(template.jobId);
    if (computed === null) throw new Error("nothing came out");
    const answers = await Promise.all(
      ["one", "two", "three"].map((notice) =>
        deps.record(record, portfolio, { ...computed, notice }),
      ),
    );
    expect(new Set(answers.map(({ notice }) => notice)).size).toBe(1);
    broker.put("PORTFOLIOS_QUEUE", message(ordered));
    await broker.settle();
    await expectOnce(ordered);
    const [event] = await rows<{ body: string }>(
      "SELECT body FROM events WHERE stream_id = ?",
      `portfolio/${portfolio}`,
    );
    // The event says what the row says, whoever was first.
    expect(JSON.parse(event?.body ?? "{}")).toMatchObject({
      payload: { notice: answers[0]?.notice },
    });
  });

  it("when the worker dies between the effect and the note of it", async () => {
    const ordered = await order(portfolio, CALM);
    await broker.settle();
    const before = await recordOf(portfolio);
    await env.DB.prepare(
      "UPDATE jobs SET state = 'running', attempts = '[]', result = NULL, due_at = ?2, finished_at = NULL WHERE id = ?1",
    )
      .bind(ordered.jobId, Date.now())
      .run();
    // Other bars meanwhile: what came out stands all the same.
    broker.put("INGEST_QUEUE", await enqueueImport("JA", `after ${ordered.id}`, days(1, 500)));
    passSeconds(OVERDUE);
    await broker.tick();
    await broker.settle();
    expect(await recordOf(portfolio)).toEqual(before);
    await expectOnce(ordered);
  });

  it("when every message on the way is lost", async () => {
    const ordered = await order(portfolio, CALM);
    expect(broker.take("PORTFOLIOS_QUEUE")).toHaveLength(1);
    passSeconds(OVERDUE);
    await broker.tick();
    await broker.deliverDue("PORTFOLIOS_QUEUE");
    expect(broker.take("EVENTS_QUEUE").length).toBeGreaterThan(0);
    passSeconds(OVERDUE);
    await broker.tick();
    await broker.settle();
    await expectOnce(ordered);
  });

  it("and not at all when it was cancelled", async () => {
    const ordered = await order(portfolio, CALM);
    const objects = vi.spyOn(env.ASSET_OBJECTS, "getByName");
    const cancelled = await api("POST", `/jobs/${encodeURIComponent(ordered.jobId)}/cancel`);
    expect(cancelled.body).toMatchObject({
      state: "cancelled",
      symbol: null,
      portfolioId: portfolio,
    });
    broker.put("PORTFOLIOS_QUEUE", message(ordered));
    await broker.settle();
    expect((await recordOf(portfolio)).events).toEqual([]);
    expect(await shown(portfolio, ordered.id)).toMatchObject({ state: "cancelled", weights: null });
    // Nobody took the portfolio for an asset.
    expect(objects).not.toHaveBeenCalled();
    objects.mockRestore();
  });
});

describe("an optimisation that cannot be", () => {
  const refused = async (id: string, wish: object) => {
    const ordered = await order(id, wish);
    await broker.settle();
    const { state, attempts } = await job(ordered.jobId);
    expect(state).toBe("failed");
    expect(attempts).toHaveLength(1);
    expect(await rows("SELECT 1 FROM dead_letters WHERE subject = ?", ordered.jobId)).toEqual([]);
    const [event] = await rows<{ event_type: string }>(
      "SELECT event_type FROM events WHERE stream_id = ?",
      `job/${ordered.jobId}`,
    );
    expect(event?.event_type).toBe("JobFailed");
    const { error } = await shown(id, ordered.id);
    return error as { code: string; detail: string; errors: { field: string; reason: string }[] };
  };

  it("names the limits that stand against each other, and no other", async () => {
    const error = await refused(portfolio, {
      ...CALM,
      bounds: { min: 0, max: 0.9, assets: { JA: { max: 0.2 } } },
      groups: [{ name: "rest", symbols: ["JB", "JC"], max: 0.7 }],
    });
    expect(error.code).toBe("portfolio.conflicting_limits");
    expect(error.errors.map(({ field }) => field)).toEqual(["assets.JA.max", "groups.rest.max"]);
  });

  it("names the range of a target out of reach", async () => {
    const error = await refused(portfolio, { method: "efficientReturn", target: 50 });
    expect(error.code).toBe("portfolio.unreachable_return");
    expect(error.detail).toContain("out of reach");
  });

  it("names the assets that share too few dates with the others, the worst first", async () => {
    await openAsset("JLATE");
    broker.put("INGEST_QUEUE", await enqueueImport("JLATE", "history", days(50, 1_000)));
    await openAsset("JNONE");
    await broker.settle();
    const error = await refused(await openPortfolio(["JA", "JNONE", "JB", "JLATE"]), CALM);
    expect(error.code).toBe("portfolio.too_few_returns");
    expect(error.errors[0]).toEqual({
      field: "JNONE",
      reason: expect.stringMatching(/^0 closes; lacks \d+ dates/),
    });
    const late = await refused(await openPortfolio(["JA", "JB", "JLATE"]), CALM);
    expect(late.errors[0]?.field).toBe("JLATE");
    expect(late.errors[0]?.reason).toMatch(
      /^50 closes from 2022-09-27 to 2022-11-15; lacks \d+ dates/,
    );
  });

  it("names an asset that was archived meanwhile", async () => {
    await openSeries(broker, { JGONE: wave(4) });
    const id = await openPortfolio(["JA", "JGONE"]);
    expect((await api("DELETE", "/assets/JGONE")).status).toBe(204);
    const error = await refused(id, CALM);
    expect(error).toMatchObject({
      code: "asset.unknown",
      errors: [{ field: "JGONE", reason: "is archived" }],
    });
  });

  it("says that its portfolio was deleted, and what was found out before stays readable", async () => {
    const before = await order(portfolio, CALM);
    await broker.settle();
    const after = await order(portfolio, CALM);
    expect((await api("DELETE", `/portfolios/${portfolio}`)).status).toBe(204);
    await broker.settle();
    expect((await job(after.jobId)).error?.code).toBe("portfolio.unknown");
    expect((await api("GET", `/portfolios/${portfolio}`)).status).toBe(404);
    expect((await api("POST", `/portfolios/${portfolio}/optimizations`, CALM)).status).toBe(404);
    const states = (await items(`/portfolios/${portfolio}/optimizations`)).map(({ id, state }) => [
      id,
      state,
    ]);
    expect(states.toSorted()).toEqual(
      [
        [before.id, "succeeded"],
        [after.id, "failed"],
      ].toSorted(),
    );
    expect(await shown(portfolio, before.id)).toMatchObject({ state: "succeeded" });
    const failed = { state: "failed", finishedAt: expect.any(String) };
    expect(await shown(portfolio, after.id)).toMatchObject(failed);
  });
});

describe("a portfolio whose job gave up", () => {
  it("leaves no open letter behind when it is deleted", async () => {
    const ordered = await order(portfolio, CALM);
    broker.take("PORTFOLIOS_QUEUE");
    const deadLetter = await park(broker, message(ordered));
    expect(await deadLetterState(deadLetter)).toBe("open");
    expect((await api("DELETE", `/portfolios/${portfolio}`)).status).toBe(204);
    expect(await deadLetterState(deadLetter)).toBe("discarded");
  });

  it("is parked: later ones wait behind it, a dry run tells what would be, and a redrive does both", async () => {
    const first = await order(portfolio, CALM);
    await env.DB.prepare("ALTER TABLE bars RENAME TO bars_out").run();
    for (let n = 0; n < 6; n++) {
      await broker.settle();
      passSeconds(700);
    }
    await env.DB.prepare("ALTER TABLE bars_out RENAME TO bars").run();
    const [deadLetter] = await rows<{ id: string }>(
      "SELECT id FROM dead_letters WHERE subject = ?",
      first.jobId,
    );
    const id = deadLetter?.id ?? "";
    expect(await show(id)).toMatchObject({
      symbol: null,
      portfolioId: portfolio,
      queue: "portfolios",
      attempts: 4,
    });

    const second = await order(portfolio, CALM);
    await broker.settle();
    const waiting = await api("GET", `/jobs/${encodeURIComponent(second.jobId)}`);
    expect(waiting.body).toMatchObject({ state: "queued", waitingBehind: id });

    const plan = await api("POST", `/backoffice/dead-letters/${id}/dry-run`);
    expect(plan.body).toMatchObject({ outcome: "done", eventCount: 1 });
    expect((await recordOf(portfolio)).events).toEqual([]);

    const redriven = await api("POST", `/backoffice/dead-letters/${id}/redrive`, {
      planHash: plan.body["planHash"],
    });
    expect(redriven.status, JSON.stringify(redriven.body)).toBeLessThan(300);
    await broker.settle();
    expect((await recordOf(portfolio)).events.map(({ job_id }) => job_id)).toEqual([
      first.jobId,
      second.jobId,
    ]);
  });
});
