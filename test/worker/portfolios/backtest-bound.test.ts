import { beforeAll, describe, expect, it } from "vitest";
import { api } from "../kit/api.ts";
import { Broker } from "../kit/broker.ts";
import { as, keyFor } from "../kit/keys.ts";
import { openAsset, rows, stopClock } from "../kit/market.ts";

const MOST = 20;

beforeAll(() => {
  stopClock();
  // Nothing that is ordered runs.
  new Broker();
});

const open = async () =>
  (await rows("SELECT id FROM jobs WHERE kind = 'backtest' AND finished_at IS NULL")).length;

describe("backtests of one key that are not finished", () => {
  it("are twenty at most, also when all are asked for at once, and the rest leaves nothing", async () => {
    await openAsset("BOUND");
    const key = await keyFor(["jobs:write", "jobs:read"]);
    const ask = () => api("POST", "/backtests", { kind: "rules", symbol: "BOUND" }, as(key));
    const answers = await Promise.all(Array.from({ length: MOST + 5 }, ask));
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(MOST);
    const refused = answers.filter(({ status }) => status !== 202);
    for (const { status, body, headers } of refused) {
      expect([status, body["code"]]).toEqual([429, "too_many_open"]);
      expect(body["detail"]).toContain("Wait for one, or cancel one");
      expect(headers.get("retry-after")).toBe("30");
    }
    expect(refused).toHaveLength(5);
    expect(await open()).toBe(MOST);
    expect(await rows("SELECT id FROM backtests")).toHaveLength(MOST);

    const other = await keyFor(["jobs:write"]);
    expect(
      (await api("POST", "/backtests", { kind: "rules", symbol: "BOUND" }, as(other))).status,
    ).toBe(202);

    const jobId = encodeURIComponent(
      String(answers.find(({ status }) => status === 202)?.body["jobId"]),
    );
    expect((await api("POST", `/jobs/${jobId}/cancel`, undefined, as(key))).status).toBe(200);
    expect((await ask()).status).toBe(202);
    expect((await ask()).status).toBe(429);
  });

  it("are counted through an index", async () => {
    const plan = await rows<{ detail: string }>(
      "EXPLAIN QUERY PLAN SELECT count(*) FROM jobs WHERE actor = 'a' AND finished_at IS NULL AND kind = 'backtest'",
    );
    expect(plan.map(({ detail }) => detail).join()).toContain("jobs_backtest_open");
  });
});
