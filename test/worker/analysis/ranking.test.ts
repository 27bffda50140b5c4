import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { api, items } from "../kit/api.ts";
import { Broker } from "../kit/broker.ts";
import {
  days,
  enqueueImport,
  enqueueJob,
  job,
  openAsset,
  passSeconds,
  rows,
  stopClock,
} from "../kit/market.ts";
import { park } from "../kit/parked-jobs.ts";
import { close, every10Minutes, jobsOf } from "../kit/schedules.ts";

/** The evening of the 250th of `days()`, a Saturday on which crypto trades. */
const LAST = Date.UTC(2020, 0, 1) + 249 * 86_400_000;
let broker: Broker;

beforeAll(async () => {
  stopClock(LAST + 26 * 3_600_000);
  broker = new Broker();
  for (const [symbol, flip] of [
    ["UP", 1],
    ["DOWN", -1],
  ] as const) {
    await openAsset(symbol, { type: "CRYPTO", calendar: "CRYPTO" });
    const bars = days(250).map((bar, n) => {
      const at = 200 + flip * n * 0.5 + Math.sin(n) * 2;
      return { ...bar, open: at, high: at + 2, low: at - 2, close: at };
    });
    broker.put("INGEST_QUEUE", await enqueueImport(symbol, "history", bars));
  }
  await openAsset("EMPTY", { type: "CRYPTO", calendar: "CRYPTO" });
  await openAsset("PAST", { type: "CRYPTO", calendar: "CRYPTO", live: false });
  await openAsset("GONE", { archivedAt: 1 });
  await broker.settle();
});

const rankings = () =>
  rows<{ version: number; body: string }>(
    "SELECT version, body FROM events WHERE stream_id = 'ranking/1d' ORDER BY version",
  );

async function slot(id: string): Promise<string> {
  await every10Minutes(id, { kind: "ranking", target: { resolution: "1d" } });
  passSeconds(600);
  await broker.tick();
  await broker.deliverDue("SCHEDULE_QUEUE");
  await close(id);
  const [ordered] = await jobsOf(id);
  if (ordered === undefined) throw new Error("no ranking was ordered");
  return ordered.id;
}

describe("a ranking", () => {
  it("is made once at its slot, of all live assets, and names those it leaves out", async () => {
    const id = await slot("FIRST");
    expect(id).toMatch(/^ranking\|1d\|20/);
    await broker.settle();
    expect(await job(id)).toMatchObject({
      state: "succeeded",
      symbol: "1d",
      result: { ranked: 2, leftOut: 1 },
    });
    const [event] = await rankings();
    const { payload, jobId, streamId } = JSON.parse(event?.body ?? "{}");
    expect([jobId, streamId]).toEqual([id, "ranking/1d"]);
    expect(payload).toMatchObject({
      partial: true,
      leftOut: { count: 1, assets: [{ symbol: "EMPTY", reason: "noBars" }] },
      items: [
        { rank: 1, symbol: "UP", change: null, components: { freshness: 1 } },
        { rank: 2, symbol: "DOWN" },
      ],
    });
    expect(await rows("SELECT * FROM streams WHERE stream_id = 'ranking/1d'")).toMatchObject([
      { known_version: 1, projected_version: 1 },
    ]);
  });

  it("stays one under doubled, lost and repeated messages and two workers at once", async () => {
    await slot("ONCE");
    await broker.settle();
    const before = (await rankings()).length;
    const id = await slot("TWICE");
    broker.take("RANKING_QUEUE"); // lost
    passSeconds(Number(env.SWEEP_AFTER_SECONDS) + 1);
    await broker.tick();
    const [wakeUp] = broker.take("RANKING_QUEUE");
    if (wakeUp === undefined) throw new Error("the sweep did not find the job");
    await Promise.all([1, 2, 3].map(() => broker.deliver("RANKING_QUEUE", [wakeUp])));
    await broker.deliver("RANKING_QUEUE", [wakeUp]);
    // Its record is lost too: the work is done again and meets what it did.
    await env.DB.prepare(
      "UPDATE jobs SET state = 'queued', attempts = '[]', due_at = 0 WHERE id = ?",
    )
      .bind(id)
      .run();
    await broker.deliver("RANKING_QUEUE", [wakeUp]);
    await broker.settle();
    const all = await rankings();
    expect(all).toHaveLength(before + 1);
    expect(await job(id)).toMatchObject({ state: "succeeded", result: { version: all.length } });
    // Nothing has moved since the one before.
    expect(JSON.parse(all.at(-1)?.body ?? "{}").payload.items).toMatchObject([
      { change: 0 },
      { change: 0 },
    ]);
  });

  it("is what /opportunities shows, page by page of one and the same ranking", async () => {
    const { status, body } = await api("GET", "/opportunities?limit=1");
    expect(status).toBe(200);
    expect(body).toMatchObject({
      items: [{ symbol: "UP", rank: 1 }],
      ranking: { rankingVersion: "2", partial: true, ranked: 2, weights: { trend: 0.35 } },
      notice: expect.stringContaining("not investment advice"),
    });
    // Another ranking in between does not shift the pages.
    await slot("BETWEEN");
    await broker.settle();
    const second = await api(
      "GET",
      `/opportunities?limit=1&cursor=${encodeURIComponent(String(body["nextCursor"]))}`,
    );
    expect(second.body).toMatchObject({ items: [{ symbol: "DOWN", rank: 2 }], nextCursor: null });
    expect(second.body["ranking"]).toEqual(body["ranking"]);
    expect(await items("/opportunities?assetType=STOCK")).toEqual([]);
    const [first] = await items("/opportunities");
    expect(
      (await items(`/opportunities?action=${String(first?.["action"])}`)).length,
    ).toBeGreaterThan(0);
    expect((await api("GET", "/opportunities?asOf=2020-01-01T00:00:00Z")).body).toMatchObject({
      items: [],
      ranking: null,
    });
    for (const bad of ["limit=0", "assetType=BOND", "action=WAIT", "asOf=soon", "cursor=nonsense"])
      expect((await api("GET", `/opportunities?${bad}`)).status, bad).toBe(400);
  });

  it("is of a resolution, and a schedule or a job that says otherwise is refused by field", async () => {
    const cadence = { type: "interval", everySeconds: 3600 };
    for (const [body, field] of [
      [{ name: "x", kind: "ranking", target: { symbol: "UP" }, cadence }, "target"],
      [{ name: "x", kind: "ingest", target: { resolution: "1d" }, cadence }, "target"],
      [
        { name: "x", kind: "ingest", target: { symbol: "UP", only: "due" }, cadence },
        "target.only",
      ],
      [{ name: "x", kind: "ranking", target: { resolution: "1wk" }, cadence }, "target"],
    ] as const) {
      const answer = await api("POST", "/schedules", body);
      expect([400, 422]).toContain(answer.status);
      expect(JSON.stringify(answer.body["errors"])).toContain(field);
    }
    for (const [body, field] of [
      [{ kind: "ranking", symbol: "UP" }, "symbol"],
      [{ kind: "ranking", resolution: "1mo" }, "resolution"],
      [{ kind: "ingest" }, "symbol"],
      [{ kind: "ingest", symbol: "UP", only: "due" }, "only"],
    ] as const) {
      const answer = await api("POST", "/jobs", body);
      expect([400, 422]).toContain(answer.status);
      expect(JSON.stringify(answer.body["errors"])).toContain(field);
    }
    const { status, body } = await api("POST", "/jobs", { kind: "ranking" });
    expect(status).toBe(202);
    await broker.settle();
    expect(await job(String(body["jobId"]))).toMatchObject({ state: "succeeded" });
  });

  it("that is parked tells what it would say, says nothing yet, and is made when it is redriven", async () => {
    const message = await enqueueJob("ranking", "1d", "parked", {
      params: { mode: "ranking", until: Date.now() },
    });
    const deadLetter = await park(broker, message);
    const before = await rankings();
    const plan = await api(
      "POST",
      `/backoffice/dead-letters/${encodeURIComponent(deadLetter)}/dry-run`,
    );
    expect(plan.body).toMatchObject({
      outcome: "done",
      eventCount: 1,
      events: [{ eventType: "OpportunitiesRanked", payload: { ranked: 2, partial: true } }],
    });
    expect(await rankings()).toEqual(before);
    const redriven = await api(
      "POST",
      `/backoffice/dead-letters/${encodeURIComponent(deadLetter)}/redrive`,
    );
    expect(redriven.status).toBe(202);
    await broker.settle();
    expect(await rankings()).toHaveLength(before.length + 1);
  });
});
