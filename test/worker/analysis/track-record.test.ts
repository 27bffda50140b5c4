import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { statisticsOf } from "../../../src/domain/track-record/statistics.ts";
import { api } from "../kit/api.ts";
import { stopClock } from "../kit/market.ts";

const DAY = 86_400_000;
const ACTIONS = ["BUY", "HOLD", "SELL"] as const;

interface Row {
  readonly symbol: string;
  readonly at: number;
  readonly action: (typeof ACTIONS)[number];
  readonly confidence: number;
  readonly base: number;
  readonly outcome: "hit" | "miss" | "void";
  readonly engine: string;
  readonly prompt: string | null;
  readonly type: string;
  readonly back: number;
}

/**
 * Resolutions with a pattern in them: what the database makes of them is worked out again from this
 * list.
 */
const ROWS: readonly Row[] = ["AAA", "BBB", "CCC-USD", "DDD"].flatMap((symbol, asset) =>
  Array.from({ length: symbol === "DDD" ? 4 : 60 }, (_, n): Row => {
    const k = n * 7 + asset * 3;
    return {
      symbol,
      at: n,
      action: ACTIONS[k % 3] ?? "BUY",
      confidence: 0.4 + (k % 11) / 20,
      base: 0.5 + (asset % 2) / 10,
      outcome: k % 13 === 0 ? "void" : k % 5 < 3 ? "hit" : "miss",
      engine: n % 2 === 0 ? "rules" : "llm",
      prompt: n % 2 === 0 ? null : `p${asset % 2}`,
      type: symbol === "CCC-USD" ? "CRYPTO" : "STOCK",
      back: ((k % 9) - 4) / 100,
    };
  }),
);

beforeAll(async () => {
  stopClock();
  await env.DB.prepare(
    `INSERT INTO track_record (symbol, id, resolution, as_of, horizon, action, confidence, base_rate, engine,
       engine_version, prompt_version, outcome, asset_type, resolved_at, horizon_return, independent, event_id, version)
     SELECT value ->> 'symbol', printf('%s-%05d', value ->> 'symbol', value ->> 'at'), '1d', (value ->> 'at') * ?2, 20,
       value ->> 'action', value ->> 'confidence', value ->> 'base', value ->> 'engine', '1', value ->> 'prompt',
       value ->> 'outcome', value ->> 'type', 0, value ->> 'back',
       (value ->> 'at') % 20 = 0 AND value ->> 'outcome' <> 'void', 'e', 1
     FROM json_each(?1)`,
  )
    .bind(JSON.stringify(ROWS), DAY)
    .run();
  // One that is still open: it must not be counted anywhere.
  await env.DB.prepare(
    `INSERT INTO track_record (symbol, id, resolution, as_of, horizon, action, confidence, base_rate, engine,
       engine_version, event_id, version) VALUES ('AAA', 'open', '1d', 0, 20, 'BUY', 0.9, 0.5, 'rules', '1', 'e', 1)`,
  ).run();
});

const statisticsFrom = (rows: readonly Row[]) =>
  statisticsOf(
    rows
      .filter(({ outcome }) => outcome !== "void")
      .map(({ action, confidence: c, base: b, outcome, at }) => {
        const o = outcome === "hit" ? 1 : 0;
        return {
          action,
          bin: Math.min(9, Math.floor(c * 10)),
          n: 1,
          hits: o,
          independent: at % 20 === 0 ? 1 : 0,
          confidence: c,
          brier: (c - o) ** 2,
          baseBrier: (b - o) ** 2,
          differenceSquared: ((c - o) ** 2 - (b - o) ** 2) ** 2,
        };
      }),
  );

type Item = Record<string, Record<string, unknown>> & { readonly group: string | null };
async function ask(query: string) {
  const { status, body } = await api("GET", `/track-record${query}`);
  expect(status, query).toBe(200);
  return body as {
    items: Item[];
    nextCursor: string | null;
    looked: Record<string, unknown>;
    notes: string[];
  };
}

/**
 * Numbers of a figure to nine digits: sums are added up in another order here than in the database.
 */
const near = (figure: unknown): unknown =>
  JSON.parse(
    JSON.stringify(figure, (_, value: unknown) =>
      typeof value === "number" ? Number(value.toFixed(9)) : value,
    ),
  );

function expectStatistics(item: Item | undefined, rows: readonly Row[]): void {
  const expected = statisticsFrom(rows);
  for (const key of [
    "n",
    "effectiveN",
    "actions",
    "hitRate",
    "brier",
    "baseRateBrier",
    "brierDifference",
  ] as const)
    expect(near(item?.[key]), key).toEqual(near(expected[key]));
  expect(near(item?.["calibration"])).toEqual(near(expected.calibration));
  expect(item?.["void"]).toBe(rows.filter(({ outcome }) => outcome === "void").length);
}

describe("GET /track-record", () => {
  it("adds up every resolution, and says what it looked at", async () => {
    const { items, looked, notes } = await ask("");
    expect(items).toHaveLength(1);
    expect(items[0]?.group).toBeNull();
    expectStatistics(items[0], ROWS);
    expect(looked).toEqual({ rows: ROWS.length, complete: true, from: "1970-01-01T00:00:00.000Z" });
    expect(notes.join(" ")).toMatch(/overlapping/);
  });

  it.each([
    ["symbol=AAA", ({ symbol }: Row) => symbol === "AAA"],
    ["assetType=CRYPTO", ({ type }: Row) => type === "CRYPTO"],
    ["engine=llm&engineVersion=1&promptVersion=p1", ({ prompt }: Row) => prompt === "p1"],
    ["action=SELL&resolution=1d", ({ action }: Row) => action === "SELL"],
    [
      "symbol=BBB&engine=rules&action=BUY",
      (r: Row) => r.symbol === "BBB" && r.engine === "rules" && r.action === "BUY",
    ],
    ["from=1970-01-11T00:00:00Z&to=1970-01-21T00:00:00Z", ({ at }: Row) => at >= 10 && at <= 20],
    ["engine=none", () => false],
  ])("with %s adds up those alone", async (query, wanted) => {
    const { items } = await ask(`?${query}`);
    expectStatistics(items[0], ROWS.filter(wanted));
  });

  it.each([
    ["asset", ({ symbol }: Row) => symbol],
    ["class", ({ type }: Row) => type],
    ["engine", ({ engine }: Row) => `${engine}/1`],
    ["promptVersion", ({ prompt }: Row) => prompt ?? ""],
  ])("groups by %s, page by page", async (groupBy, keyOf) => {
    const groups = Map.groupBy(ROWS, keyOf);
    const names = [...groups.keys()].toSorted();
    const seen: Item[] = [];
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof ask>> = await ask(
        `?groupBy=${groupBy}&limit=1${cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`}`,
      );
      expect(page.items).toHaveLength(1);
      seen.push(...page.items);
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(seen.map(({ group }) => group)).toEqual(names);
    for (const item of seen) expectStatistics(item, groups.get(item.group ?? "") ?? []);
  });

  it("tells no figure of a small sample, but its size and why", async () => {
    const { items } = await ask("?symbol=DDD");
    expect(items[0]).toMatchObject({
      hitRate: {
        value: null,
        low: null,
        n: expect.any(Number),
        reason: expect.stringContaining("are needed"),
      },
      skill: { value: null },
      following: { following: { value: null, reason: expect.stringContaining("are needed") } },
    });
  });

  it("follows the calls that do not overlap, at the cost asked for", async () => {
    const own = ROWS.filter(
      ({ symbol, at, outcome }) => symbol === "AAA" && at % 20 === 0 && outcome !== "void",
    );
    const { items } = await ask("?symbol=AAA&cost=0.02");
    expect(items[0]?.["following"]).toMatchObject({ cost: 0.02, following: { n: own.length } });
    const free = await ask("?cost=0");
    const dear = await ask("?cost=0.05");
    expect(free.items[0]?.["following"]).toMatchObject({ cost: 0 });
    expect(dear.items[0]?.["following"]).toMatchObject({ cost: 0.05 });
  });

  it.each([
    ["symbol=no%20symbol", "symbol"],
    ["assetType=BOND", "assetType"],
    ["groupBy=colour", "groupBy"],
    ["cost=1", "cost"],
    ["cost=-0.1", "cost"],
    ["cost=abc", "cost"],
    ["from=yesterday", "from"],
    ["from=2020-01-02T00:00:00Z&to=2020-01-01T00:00:00Z", "from"],
    ["limit=0", "limit"],
    ["limit=100000", "limit"],
    ["action=WAIT", "action"],
    ["resolution=2d", "resolution"],
    ["engine=", "engine"],
  ])("refuses %s and names the field", async (query, field) => {
    const { status, headers, body } = await api("GET", `/track-record?${query}`);
    expect(status).toBe(400);
    expect(headers.get("content-type")).toContain("application/problem+json");
    expect(JSON.stringify(body["errors"])).toContain(field);
  });

  it("refuses a cursor that is none", async () => {
    expect((await api("GET", "/track-record?groupBy=asset&cursor=nonsense")).status).toBe(400);
  });
});
