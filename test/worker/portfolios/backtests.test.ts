import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import type { Bar } from "../../../src/domain/asset/bar.ts";
import { backtest } from "../../../src/domain/backtest/backtest.ts";
import { DEFAULT_BACKTEST } from "../../../src/domain/backtest/request.ts";
import { rulesStrategy } from "../../../src/domain/backtest/strategy.ts";
import { backtestDeps } from "../../../src/wiring/consumers/backtests.ts";
import { platform } from "../../../src/wiring/platform/platform.ts";
import { api, items } from "../kit/api.ts";
import { Broker } from "../kit/broker.ts";
import {
  DAY,
  days,
  enqueueImport,
  job,
  openAsset,
  passSeconds,
  rows,
  stopClock,
} from "../kit/market.ts";
import { deadLetterOf, park } from "../kit/parked-jobs.ts";

const BARS = 340;
const FEW = { kind: "rules", symbol: "BT", shuffles: 4, bootstraps: 20 };
const OVERDUE = Number(env.SWEEP_AFTER_SECONDS) + 1;

let broker: Broker;
beforeAll(async () => {
  stopClock();
  broker = new Broker();
  await openAsset("BT");
  broker.put("INGEST_QUEUE", await enqueueImport("BT", "history", days(BARS)));
  await openAsset("BTFEW");
  broker.put("INGEST_QUEUE", await enqueueImport("BTFEW", "history", days(100)));
  await broker.settle();
});

interface Ordered {
  readonly jobId: string;
  readonly id: string;
}

async function order(wish: object = FEW): Promise<Ordered> {
  const { status, body, headers } = await api("POST", "/backtests", wish);
  if (status !== 202) throw new Error(`not ordered: ${JSON.stringify(body)}`);
  const jobId = String(body["jobId"]);
  expect(headers.get("location")).toBe(`/api/v1/jobs/${encodeURIComponent(jobId)}`);
  return { jobId, id: String(body["id"]) };
}

const message = ({ jobId, id }: Ordered) => ({
  jobId,
  kind: "portfolio",
  symbol: `backtest/${id}`,
});
const shown = async (id: string) => (await api("GET", `/backtests/${id}`)).body;
const written = (id: string) =>
  rows<{ result: string | null }>("SELECT * FROM backtests WHERE id = ?", id);

describe("a backtest through the whole flow", () => {
  it("is accepted, worked off, and tells what the domain finds in the bars that the API shows", async () => {
    const ordered = await order();
    expect(await shown(ordered.id)).toMatchObject({
      state: "queued",
      progress: 0,
      result: null,
      symbol: "BT",
    });
    await broker.settle();
    const told = await shown(ordered.id);
    expect(told).toMatchObject({ ...ordered, state: "succeeded", progress: 1, error: null });

    const bars = (await items(`/assets/BT/bars?limit=1000`)).map((bar) => ({
      ...(bar as unknown as Bar),
      timestamp: Date.parse(String(bar["timestamp"])),
    }));
    const work = backtest({
      bars,
      strategy: rulesStrategy("STOCK", "1d", "XNYS"),
      periodsPerYear: 252,
      request: {
        ...DEFAULT_BACKTEST,
        kind: "rules",
        from: null,
        to: null,
        shuffles: 4,
        bootstraps: 20,
      },
    });
    let end = work.next();
    while (end.done !== true) end = work.next();
    if (end.value.kind !== "done") throw new Error("refused");
    const { strategy, control, bootstrap } = end.value.value;
    const result = told["result"] as Record<string, Record<string, unknown>>;
    expect(result["control"]).toEqual(control);
    expect(result["bootstrap"]).toEqual(bootstrap);
    const { maxDrawdown: _ours, ...statistics } = strategy;
    expect(result["strategy"]).toMatchObject(statistics);
    expect(result).toMatchObject({
      symbol: "BT",
      source: "import",
      engine: "rules",
      streamVersion: expect.any(Number),
      snapshotHash: expect.stringMatching(/^[0-9a-f]{64}$/),
      asOf: new Date(Date.UTC(2020, 0, 1) + (BARS - 1) * DAY).toISOString(),
      fillsAt: "nextOpen",
      notice: expect.stringContaining("not investment advice"),
      dataQuality: { bars: 250 },
    });
    const { state, result: summary } = await job(ordered.jobId);
    expect(state).toBe("succeeded");
    expect(summary).toMatchObject({
      backtestId: ordered.id,
      symbol: "BT",
      trades: strategy.trades,
    });
    expect((await api("GET", `/jobs/${encodeURIComponent(ordered.jobId)}`)).body).toMatchObject({
      symbol: null,
      portfolioId: null,
      backtestId: ordered.id,
    });
    // Nothing has happened to the asset: no event of the job.
    expect(await rows("SELECT 1 FROM events WHERE job_id = ?", ordered.jobId)).toEqual([]);
  });

  it("of the same bars and request is the same, hash and all, and other costs are another", async () => {
    const [one, two, dear] = [await order(), await order(), await order({ ...FEW, costBps: 50 })];
    await broker.settle();
    const results = await Promise.all(
      [one, two, dear].map(async ({ id }) => ({
        ...((await shown(id))["result"] as object),
        backtestId: "",
      })),
    );
    expect(results[1]).toEqual(results[0]);
    expect(results[2]).not.toEqual(results[0]);
    expect(
      new Set(results.map((result) => (result as unknown as { snapshotHash: string }).snapshotHash))
        .size,
    ).toBe(2);
  });

  it("keeps to its range, and says what of it was lacking", async () => {
    const to = new Date(Date.UTC(2020, 0, 1) + 300 * DAY).toISOString();
    const ordered = await order({ ...FEW, to, shuffles: 0, bootstraps: 0 });
    await broker.settle();
    expect((await shown(ordered.id))["result"]).toMatchObject({
      bars: 301,
      asOf: to,
      control: null,
      bootstrap: null,
    });
  });

  it("is listed newest first, in pages", async () => {
    const wished: string[] = [];
    for (let turn = 0; turn < 3; turn += 1) {
      passSeconds(1);
      wished.unshift((await order()).id);
    }
    const first = await api("GET", "/backtests?limit=2");
    const page = first.body["items"] as { id: string }[];
    const next = await items(`/backtests?limit=200&cursor=${String(first.body["nextCursor"])}`);
    expect([...page, ...next].slice(0, 3).map((one) => one["id" as never])).toEqual(wished);
    expect(page[0]).toMatchObject({ state: "queued", sharpe: null });
    const done = next.find((one) => one["pValue"] !== null);
    expect(done).toMatchObject({ trades: expect.any(Number), pValue: expect.any(Number) });
    await broker.settle();
  });

  it("shows how far it has come while it runs", async () => {
    const ordered = await order();
    const deps = backtestDeps(platform(env));
    const seen: unknown[] = [];
    const batch = vi.spyOn(env.DB, "prepare");
    await broker.settle();
    for (const [sql] of batch.mock.calls)
      if (sql.startsWith("UPDATE backtests SET progress")) seen.push(sql);
    batch.mockRestore();
    // At the start and at a quarter, a half, three quarters or so of the way.
    expect(seen.length).toBeGreaterThanOrEqual(3);
    expect(seen.length).toBeLessThanOrEqual(4);
    const other = await order();
    for (const share of [0.5, 0.25]) await deps.progress(other.id, share);
    expect(await shown(other.id)).toMatchObject({ progress: 0.5, state: "queued" });
    await broker.settle();
    await deps.progress(ordered.id, 0.1);
    expect(await shown(ordered.id)).toMatchObject({ progress: 1 });
  });
});

describe("the effect of a backtest happens once", () => {
  it("when its message comes again, doubled and after it is done", async () => {
    const ordered = await order();
    await broker.settle((deadLetters) => [...deadLetters, ...deadLetters].reverse());
    const before = await written(ordered.id);
    broker.put("INGEST_QUEUE", await enqueueImport("BT", `after ${ordered.id}`, days(1, BARS)));
    await broker.settle();
    broker.put("PORTFOLIOS_QUEUE", message(ordered), message(ordered));
    await broker.settle();
    expect(await written(ordered.id)).toEqual(before);
    expect((await job(ordered.jobId)).attempts).toHaveLength(1);
  });

  it("when three workers have it in hand at once", async () => {
    const ordered = await order();
    broker.take("PORTFOLIOS_QUEUE");
    await Promise.all(
      ["one", "two", "three"].map((id) =>
        broker.deliver("PORTFOLIOS_QUEUE", [deadLetterOf(id, message(ordered))]),
      ),
    );
    await broker.settle();
    expect((await job(ordered.jobId)).state).toBe("succeeded");
    expect(await written(ordered.id)).toHaveLength(1);
  });

  it("when two have computed before either writes, and the second is told what stands", async () => {
    const [template, ordered] = [await order(), await order()];
    await broker.deliver("PORTFOLIOS_QUEUE", broker.take("PORTFOLIOS_QUEUE").slice(0, 1));
    const deps = backtestDeps(platform(env));
    const record = await job(ordered.jobId);
    const computed = await deps.existingResult(template.id);
    if (computed === null) throw new Error("nothing came out");
    const first = await deps.record(record, { ...computed, caveats: ["one"] });
    const second = await deps.record(record, { ...computed, caveats: ["two"] });
    expect([first.caveats, second.caveats]).toEqual([["one"], ["one"]]);
    broker.put("PORTFOLIOS_QUEUE", message(ordered));
    await broker.settle();
    expect((await shown(ordered.id))["result"]).toMatchObject({ caveats: ["one"] });
  });

  it("when its message is lost, and when the worker dies between the effect and the note of it", async () => {
    await openAsset("BTDIED");
    broker.put("INGEST_QUEUE", await enqueueImport("BTDIED", "history", days(BARS)));
    await broker.settle();
    const ordered = await order({ ...FEW, symbol: "BTDIED" });
    expect(broker.take("PORTFOLIOS_QUEUE")).toHaveLength(1);
    passSeconds(OVERDUE);
    await broker.tick();
    await broker.settle();
    const before = await written(ordered.id);
    expect(before[0]?.result).toEqual(expect.any(String));
    await env.DB.prepare(
      "UPDATE jobs SET state = 'running', attempts = '[]', result = NULL, due_at = ?2, finished_at = NULL WHERE id = ?1",
    )
      .bind(ordered.jobId, Date.now())
      .run();
    // What came out stands, though it could not be found out any more.
    expect((await api("DELETE", "/assets/BTDIED")).status).toBe(204);
    passSeconds(OVERDUE);
    await broker.tick();
    await broker.settle();
    expect(await written(ordered.id)).toEqual(before);
    expect((await job(ordered.jobId)).state).toBe("succeeded");
  });

  it("under one Idempotency-Key, and not at all when it was cancelled", async () => {
    const key = { "idempotency-key": "the same backtest" };
    const [one, two] = [
      await api("POST", "/backtests", FEW, key),
      await api("POST", "/backtests", FEW, key),
    ];
    expect(two.body).toEqual(one.body);
    const objects = vi.spyOn(env.ASSET_OBJECTS, "getByName");
    const path = `/jobs/${encodeURIComponent(String(one.body["jobId"]))}/cancel`;
    expect((await api("POST", path)).body).toMatchObject({
      state: "cancelled",
      backtestId: one.body["id"],
    });
    await broker.settle();
    expect(await shown(String(one.body["id"]))).toMatchObject({ state: "cancelled", result: null });
    // Nobody took the backtest for an asset.
    expect(objects).not.toHaveBeenCalled();
    objects.mockRestore();
  });
});

describe("a backtest that cannot be", () => {
  it("fails with a named code when there are too few bars, once, and leaves no letter", async () => {
    const ordered = await order({ ...FEW, symbol: "BTFEW" });
    await broker.settle();
    expect(await shown(ordered.id)).toMatchObject({
      state: "failed",
      result: null,
      error: {
        code: "backtest.too_few_bars",
        detail: expect.stringContaining("100 bars; 253 to warm up"),
      },
    });
    expect((await job(ordered.jobId)).attempts).toHaveLength(1);
    expect(await rows("SELECT 1 FROM dead_letters WHERE subject = ?", ordered.jobId)).toEqual([]);
  });

  it("fails when its asset was archived meanwhile", async () => {
    await openAsset("BTGONE");
    const ordered = await order({ ...FEW, symbol: "BTGONE" });
    expect((await api("DELETE", "/assets/BTGONE")).status).toBe(204);
    await broker.settle();
    expect(await shown(ordered.id)).toMatchObject({
      state: "failed",
      error: { code: "asset.unknown" },
    });
  });
});

describe("a backtest whose message nobody could work off", () => {
  it("is a dead letter that names it; its dry run keeps nothing, its redrive does the work once", async () => {
    const ordered = await order();
    broker.take("PORTFOLIOS_QUEUE");
    const deadLetter = await park(broker, message(ordered));
    const path = `/backoffice/dead-letters/${encodeURIComponent(deadLetter)}`;
    expect((await api("GET", path)).body).toMatchObject({ symbol: null, backtestId: ordered.id });
    expect((await api("POST", `${path}/dry-run`)).body).toMatchObject({
      outcome: "done",
      events: [],
    });
    expect(await shown(ordered.id)).toMatchObject({
      state: "failed",
      progress: 0,
      result: null,
      finishedAt: expect.any(String),
    });
    expect((await api("POST", `${path}/redrive`)).status).toBeLessThan(300);
    await broker.settle();
    expect(await shown(ordered.id)).toMatchObject({ state: "succeeded", progress: 1 });
  });
});
