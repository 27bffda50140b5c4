import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { versionedBars } from "../../../src/read-model/versioned-bars.ts";
import { api } from "../kit/api.ts";
import { DAY, openAsset } from "../kit/market.ts";
import { expectRefused } from "../kit/refused-backtest.ts";

const FEW = { kind: "rules", symbol: "BQ", shuffles: 4, bootstraps: 20 };

describe("a request for a backtest", () => {
  beforeAll(async () => {
    await openAsset("BQ");
  });

  it.each([
    ["an unknown asset", { symbol: "NOPE" }, 404, undefined],
    ["another kind", { kind: "magic" }, 422, "kind"],
    ["a symbol that is none", { symbol: "b t" }, 422, "symbol"],
    ["negative costs", { costBps: -1 }, 422, "costBps"],
    ["slippage of everything", { slippageBps: 10_000 }, 422, "slippageBps"],
    ["from after to", { from: "2021-01-01", to: "2020-01-01" }, 422, "from"],
    ["a date that is none", { from: "yesterday" }, 422, "from"],
    ["half a seed", { seed: 1.5 }, 422, "seed"],
    ["too many shuffles", { shuffles: 201 }, 422, "shuffles"],
    ["too many resamples", { bootstraps: 1_001 }, 422, "bootstraps"],
    ["another resolution", { resolution: "2d" }, 422, "resolution"],
    ["a field nobody knows", { leverage: 3 }, 422, undefined],
  ])("is refused for %s, and nothing is stored", async (_, wish, status, field) => {
    await expectRefused({ ...FEW, ...wish }, status, field);
  });

  it("and one that nobody ordered is not there", async () => {
    expect((await api("GET", "/backtests/nope")).status).toBe(404);
    expect((await api("GET", "/backtests?cursor=x")).status).toBe(400);
  });
});

describe("bars of one version", () => {
  const COUNT = 12_000;
  beforeAll(async () => {
    const bars = Array.from({ length: COUNT }, (_, day) => ({
      timestamp: day * DAY,
      close: 100 + day,
    }));
    for (let at = 0; at < COUNT; at += 4_000) {
      await env.DB.prepare(
        `INSERT INTO bars (symbol, resolution, timestamp, close, source, version)
         SELECT 'BTLONG', '1d', value ->> 'timestamp', value ->> 'close', 'import', 1 FROM json_each(?)`,
      )
        .bind(JSON.stringify(bars.slice(at, at + 4_000)))
        .run();
    }
    await env.DB.prepare(
      "INSERT INTO streams (stream_id, projected_version, known_version, known_at) VALUES ('asset/BTLONG', 7, 7, 0)",
    ).run();
  });
  const ALL = { resolution: "1d", from: null, to: null, limit: 20_000 } as const;

  it("are read in pages, each once, oldest first, within the range and the limit", async () => {
    const { version, bars } = await versionedBars(env.DB, "BTLONG", ALL);
    expect(version).toBe(7);
    expect(bars.map(({ timestamp }) => timestamp)).toEqual(
      Array.from({ length: COUNT }, (_, day) => day * DAY),
    );
    const some = await versionedBars(env.DB, "BTLONG", {
      ...ALL,
      from: 10 * DAY,
      to: 11_000 * DAY,
      limit: 6_001,
    });
    expect([some.bars.length, some.bars[0]?.timestamp, some.bars.at(-1)?.timestamp]).toEqual([
      6_001,
      5_000 * DAY,
      11_000 * DAY,
    ]);
    expect(await versionedBars(env.DB, "BTNONE", ALL)).toEqual({ version: 0, bars: [] });
  });

  /** Moves the stream after each of the first `times` pages. */
  const moving = (times: number) => {
    let left = times;
    const read = env.DB.batch.bind(env.DB);
    return vi.spyOn(env.DB, "batch").mockImplementation(async (statements) => {
      const answer = await read(statements);
      left -= 1;
      if (left >= 0)
        await env.DB.prepare(
          "UPDATE streams SET projected_version = projected_version + 1 WHERE stream_id = 'asset/BTLONG'",
        ).run();
      return answer as never;
    });
  };

  it("are read again when the series moves meanwhile, and given up on as a passing fault when it never rests", async () => {
    const once = moving(1);
    const { version, bars } = await versionedBars(env.DB, "BTLONG", ALL);
    expect([version, bars.length]).toEqual([8, COUNT]);
    // Two pages of a read that was given up, three of the one that counts.
    expect(once).toHaveBeenCalledTimes(5);
    once.mockRestore();
    const ever = moving(100);
    await expect(versionedBars(env.DB, "BTLONG", ALL)).rejects.toMatchObject({
      code: "stream.version_conflict",
    });
    expect(ever).toHaveBeenCalledTimes(6);
    ever.mockRestore();
  });
});
