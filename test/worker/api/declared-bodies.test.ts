import { beforeAll, describe, expect, test } from "vitest";
import { api } from "../kit/api.ts";
import { type Described, described, filled, refused } from "../kit/openapi-document.ts";

let operations: Described[];
beforeAll(async () => {
  operations = await described();
  await api("POST", "/assets", {
    symbol: "KNOWN",
    type: "STOCK",
    currency: "USD",
    source: "import",
  });
});

describe("bodies", () => {
  test.each([
    ["POST", "/assets", { symbl: "A", type: "STOCK", currency: "USD" }, "symbl", "symbol"],
    [
      "POST",
      "/portfolios",
      {
        name: "x",
        symbols: ["A", "B"],
        optimization: { method: "hrp", walkForward: { windw: 3 } },
      },
      "optimization.walkForward.windw",
      "window",
    ],
    [
      "POST",
      "/portfolios",
      { name: "x", symbols: ["A", "B"], optimization: { method: "hrp", bounds: { mn: 0 } } },
      "optimization.bounds.mn",
      "min",
    ],
    [
      "POST",
      "/portfolios",
      {
        name: "x",
        symbols: ["A", "B"],
        optimization: { method: "hrp", bounds: { assets: { A: { mx: 1 } } } },
      },
      "optimization.bounds.assets.A.mx",
      "max",
    ],
    [
      "POST",
      "/schedules",
      { name: "x", target: { symbool: "A" }, cadence: { type: "interval", everySeconds: 3600 } },
      "target.symbool",
      "symbol",
    ],
    [
      "POST",
      "/schedules",
      { name: "x", target: { symbol: "A" }, cadence: { type: "interval", every_seconds: 3600 } },
      "cadence.every_seconds",
      "everySeconds",
    ],
    [
      "POST",
      "/assets/KNOWN/bars",
      { bars: [{ timestamp: "2020-01-01", close: 1, vol: 3, volumn: 3 }] },
      "bars.0.volumn",
      "volume",
    ],
  ])("%s %s with %j", async (method, path, body, field, nearest) => {
    const problem = await refused(method, path, body);
    expect(problem).toMatchObject({ status: 422, code: "validation_failed" });
    const found = problem.errors.find((error) => error.field === field);
    expect(found?.reason, JSON.stringify(problem.errors)).toMatch(
      `, did you mean "${nearest}"? (known here: `,
    );
  });

  test("thousands of unknown names, and one as long as a body, are told in few words", async () => {
    const many = Object.fromEntries(Array.from({ length: 6_000 }, (_, n) => [`k${n}`, 1]));
    const interval = { type: "interval", everySeconds: 3600 };
    for (const target of [many, { ["x".repeat(60_000)]: 1 }]) {
      const problem = await refused("POST", "/schedules", { name: "x", target, cadence: interval });
      expect(problem.status).toBe(422);
      expect(problem.errors.length).toBeLessThanOrEqual(100);
      expect(JSON.stringify(problem).length).toBeLessThan(30_000);
    }
  });

  test("each unknown field is an item of its own", async () => {
    const { errors } = await refused("POST", "/assets", {
      symbol: "A",
      type: "STOCK",
      currency: "USD",
      a: 1,
      b: 2,
    });
    expect(errors.map(({ field }) => field)).toStrictEqual(["a", "b"]);
  });

  test("a form nobody knows is told which there are", async () => {
    const { errors } = await refused("POST", "/schedules", {
      name: "x",
      target: { symbol: "A" },
      cadence: { type: "whim" },
    });
    expect(errors).toStrictEqual([
      { field: "cadence.type", reason: "must be one of cron, interval, calendar" },
    ]);
  });

  test("every operation that takes none refuses a field instead of passing it over, and takes an empty one", async () => {
    const bare = operations.filter(
      ({ method, requestBody }) => method !== "GET" && requestBody === undefined,
    );
    expect(bare.length).toBeGreaterThan(10);
    for (const { method, path } of bare) {
      const problem = await refused(method, filled(path), { force: true });
      expect(problem.errors, `${method} ${path}: ${problem.detail}`).toStrictEqual([
        { field: "force", reason: 'unknown field "force" (there are no fields here)' },
      ]);
      expect((await refused(method, filled(path), {})).detail).not.toMatch(/unknown/);
    }
  });

  test("no schema of a body takes names that it does not declare", async () => {
    const open: string[] = [];
    const look = (node: unknown, at: string): void => {
      if (typeof node !== "object" || node === null) return;
      const inner = node as Record<string, unknown>;
      if (
        inner["type"] === "object" &&
        inner["properties"] !== undefined &&
        inner["additionalProperties"] !== false
      )
        open.push(at);
      for (const [key, value] of Object.entries(inner)) look(value, `${at}/${key}`);
    };
    for (const { method, path, requestBody } of operations) look(requestBody, `${method} ${path}`);
    expect(open).toStrictEqual([]);
  });
});
