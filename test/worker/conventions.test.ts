import { env, exports } from "cloudflare:workers";
import { beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { api } from "./api.ts";

const operationView = z.object({
  parameters: z
    .array(z.object({ name: z.string(), in: z.string(), schema: z.looseObject({}).optional() }))
    .default([]),
  requestBody: z.unknown().optional(),
});
const documentView = z.object({ paths: z.record(z.string(), z.record(z.string(), operationView)) });

interface Described extends z.infer<typeof operationView> {
  readonly method: string;
  readonly path: string;
}

async function described(): Promise<Described[]> {
  const response = await exports.default.fetch(new Request("http://127.0.0.1/api/openapi.json"));
  const { paths } = documentView.parse(await response.json());
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ ...operation, path, method: method.toUpperCase() })),
  );
}

/** The path with something in every place. */
const filled = (path: string): string => path.replaceAll(/\{[^}]+\}/g, "X");

const bodyOf = (method: string): unknown => (method === "GET" ? undefined : {});

const problemView = z.object({
  status: z.number(),
  code: z.string(),
  detail: z.string(),
  errors: z.array(z.object({ field: z.string(), reason: z.string() })).default([]),
});

async function refused(method: string, path: string, body?: unknown): Promise<z.infer<typeof problemView>> {
  const answer = await api(method, path, body);
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  return problemView.parse(answer.body);
}

/** Some tests ask every route many times. */
const MANY_MS = 120_000;

const raw = (method: string, path: string, headers: Readonly<Record<string, string>> = {}) =>
  exports.default.fetch(
    new Request(`http://127.0.0.1${path}`, {
      method,
      headers: { authorization: `Bearer ${env.ADMIN_API_KEY}`, ...headers },
    }),
  );

let operations: Described[];
beforeAll(async () => {
  operations = await described();
  await api("POST", "/assets", { symbol: "KNOWN", type: "STOCK", currency: "USD", source: "import" });
});

describe("parameters", () => {
  test("every operation refuses one it does not declare, by name, and tells those it knows", async () => {
    expect(operations.length).toBeGreaterThan(90);
    for (const { method, path, parameters } of operations) {
      const problem = await refused(method, `${filled(path)}?zzqq=1`, bodyOf(method));
      const about = `${method} ${path}: ${problem.detail}`;
      expect(problem.status, about).toBe(400);
      expect(
        problem.errors.map(({ field }) => field),
        about,
      ).toContain("zzqq");
      for (const { name } of parameters.filter((one) => one.in === "query"))
        expect(problem.detail, about).toMatch(new RegExp(`known here: .*\\b${name}\\b`));
    }
  });

  test("every operation refuses one of its own given twice", async () => {
    for (const { method, path, parameters } of operations) {
      for (const { name } of parameters.filter((one) => one.in === "query")) {
        const problem = await refused(method, `${filled(path)}?${name}=1&${name}=1`, bodyOf(method));
        const about = `${method} ${path}?${name}`;
        expect(problem, about).toMatchObject({ status: 400 });
        expect(problem.errors, about).toContainEqual({
          field: name,
          reason: "is given 2 times; give it once",
        });
      }
    }
  });

  test.each([
    ["/assets/KNOWN/bars?ajusted=totalReturn", "ajusted", "adjusted"],
    ["/assets/KNOWN/bars?as_of=2020-01-01", "as_of", null],
    ["/assets/KNOWN/analysis?as_of=2020-01-01", "as_of", "asOf"],
    ["/events?after=3", "after", "cursor"],
    ["/jobs?status=failed", "status", "state"],
    ["/assets?LIMIT=3", "LIMIT", "limit"],
    ["/assets?__proto__=1", "__proto__", null],
    ["/assets?constructor=1", "constructor", null],
  ])("%s", async (path, field, nearest) => {
    const problem = await refused("GET", path);
    expect(problem).toMatchObject({ status: 400, code: "invalid_query" });
    const hint = nearest === null ? "" : `, did you mean "${nearest}"?`;
    const reason = problem.errors.find((error) => error.field === field)?.reason;
    expect(reason).toMatch(`unknown parameter "${field}"${hint} (`);
  });

  test("each unknown one is an item of its own, beside what is wrong with the known ones", async () => {
    const { errors } = await refused("GET", "/assets/KNOWN/bars?limit=0&ajusted=split&form=2020-01-01");
    expect(errors.map(({ field }) => field).toSorted()).toStrictEqual(["ajusted", "form", "limit"]);
  });

  test(
    "every limit is an integer to machines, with its ends and its default, and nothing else is taken",
    async () => {
      const limited = operations.filter(({ parameters }) => parameters.some(({ name }) => name === "limit"));
      expect(limited.length).toBeGreaterThan(20);
      for (const { path, parameters } of limited) {
        const schema = parameters.find(({ name }) => name === "limit")?.schema;
        const most = [200, 1000].find((one) => one === schema?.["maximum"]);
        expect(schema, path).toStrictEqual({
          type: "integer",
          minimum: 1,
          maximum: most,
          default: most === 200 ? 50 : 500,
        });
        for (const wrong of [
          "1.5",
          "1e1",
          "0",
          "-1",
          "abc",
          "",
          "+5",
          "%205",
          "0x10",
          String((most ?? 0) + 1),
        ]) {
          const problem = await refused("GET", `${filled(path)}?limit=${wrong}`);
          expect(problem, `${path}?limit=${wrong}`).toMatchObject({ status: 400, code: "invalid_query" });
          expect(problem.errors.map(({ field }) => field)).toContain("limit");
        }
      }
    },
    MANY_MS,
  );
});

/** Moments at and over every edge of the calendar, as URLs write them. */
const EDGES = [
  "0000-01-01T00:00:00%2B14:00",
  "0001-01-01",
  "1883-11-18T12:00:00Z",
  "9999-12-31T23:59:59.999-14:00",
  "%2B275760-09-13",
];

/** Moments and places no list of ours ever gave out, in the form in which it gives them. */
const FORGED = [
  [-1],
  [0],
  [8.64e15],
  [8.65e15],
  [Number.MAX_SAFE_INTEGER],
  [Number.MIN_SAFE_INTEGER],
  [Number.MAX_SAFE_INTEGER, "x"],
  [Number.MIN_SAFE_INTEGER, ""],
  ["\u0000"],
  ["x".repeat(5_000)],
  [1e15, "\ud800".toWellFormed()],
].map((position) =>
  btoa(encodeURIComponent(JSON.stringify(position)))
    .replaceAll("+", "-")
    .replaceAll("/", "_"),
);

/** A path whose places are filled with what is there or may be. */
const pathOf = (path: string): string =>
  filled(
    path
      .replace("{symbol}", "KNOWN")
      .replace("{calendar}", "XNYS")
      .replace("{projection}", "bars")
      .replace("{slot}", "2020-01-01"),
  );

describe("moments and places", () => {
  test(
    "at the edges of the calendar are answered or refused wherever a moment may be said, and never our fault",
    async () => {
      const moments = new Set(["from", "to", "asOf", "after", "before", "slot"]);
      const resampled = ["", "&resolution=1mo&resampleFrom=1d", "&resolution=1w&resampleFrom=1h"];
      let asked = 0;
      for (const { method, path, parameters } of operations.filter((one) => one.method === "GET")) {
        for (const { name, in: place } of parameters.filter((one) => moments.has(one.name))) {
          const isMade = parameters.some((one) => one.name === "resampleFrom");
          for (const edge of EDGES) {
            for (const more of isMade ? resampled : [""]) {
              const url =
                place === "path"
                  ? filled(path.replace(`{${name}}`, edge))
                  : `${pathOf(path)}?${name}=${edge}${name === "from" && path.includes("sessions") ? "&to=2020-01-01" : ""}${more}`;
              const { status, body } = await api(method, url);
              expect(status, `${url}: ${JSON.stringify(body)}`).toBeLessThan(500);
              asked += 1;
            }
          }
        }
      }
      expect(asked).toBeGreaterThan(150);
    },
    MANY_MS,
  );

  test("a range that ends before it begins is refused, whoever is asked for it", async () => {
    const ranged = operations.filter(
      ({ method, parameters }) =>
        method === "GET" && parameters.some(({ name }) => name === "from" || name === "after"),
    );
    expect(ranged.length).toBeGreaterThan(6);
    for (const { path, parameters } of ranged) {
      const [first, last] = parameters.some(({ name }) => name === "from")
        ? ["from", "to"]
        : ["after", "before"];
      const url = `${pathOf(path)}?${first}=2020-02-01&${last}=2020-01-01`;
      const { status, body } = await api("GET", url);
      expect({ url, status, code: body["code"] }).toStrictEqual({ url, status: 400, code: "invalid_query" });
    }
  });

  test(
    "a cursor that no list gave out is refused or leads somewhere, and is never our fault",
    async () => {
      const lists = operations.filter(({ parameters }) => parameters.some(({ name }) => name === "cursor"));
      expect(lists.length).toBeGreaterThan(20);
      for (const { path } of lists) {
        for (const cursor of ["x", "%00", "e30", "bnVsbA", "W10", "W1tdXQ", "A".repeat(5_000), ""]) {
          const { status, body } = await api("GET", `${pathOf(path)}?cursor=${cursor}`);
          if (status === 404) continue;
          const about = `${path} ${cursor.slice(0, 10)}`;
          expect([about, status, body["code"]]).toStrictEqual([about, 400, "invalid_cursor"]);
        }
        const isMade = path.endsWith("/bars") || path.endsWith("/indicators");
        for (const cursor of FORGED) {
          for (const more of isMade
            ? ["", "&resolution=1mo&resampleFrom=1d", "&adjusted=totalReturn"]
            : [""]) {
            const url = `${pathOf(path)}?cursor=${cursor}${more}`;
            const { status, body } = await api("GET", url);
            expect(status, `${url}: ${JSON.stringify(body)}`).toBeLessThan(500);
          }
        }
      }
    },
    MANY_MS,
  );
});

describe("bodies", () => {
  test.each([
    ["POST", "/assets", { symbl: "A", type: "STOCK", currency: "USD" }, "symbl", "symbol"],
    [
      "POST",
      "/portfolios",
      { name: "x", symbols: ["A", "B"], optimization: { method: "hrp", walkForward: { windw: 3 } } },
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

describe("methods", () => {
  test("HEAD is answered wherever GET is, with the same status and no body", async () => {
    for (const path of [
      "/api/v1/assets",
      "/api/v1/assets/KNOWN",
      "/api/v1/assets/NOPE",
      "/health",
      "/api/docs",
    ]) {
      const [got, headed] = [await raw("GET", path), await raw("HEAD", path)];
      expect({ path, status: headed.status }).toStrictEqual({ path, status: got.status });
      expect(headed.headers.get("content-type")).toBe(got.headers.get("content-type"));
      expect(await headed.text()).toBe("");
      await got.text();
    }
  });

  test.each([
    ["/api/v1/assets", "GET, HEAD, POST, OPTIONS"],
    ["/api/v1/assets/KNOWN", "GET, HEAD, PATCH, DELETE, OPTIONS"],
    ["/api/v1/jobs/x/cancel", "POST, OPTIONS"],
    ["/health", "GET, HEAD, OPTIONS"],
  ])("%s says what it answers, to OPTIONS and to a method it does not know", async (path, allow) => {
    const asked = await exports.default.fetch(new Request(`http://127.0.0.1${path}`, { method: "OPTIONS" }));
    expect([asked.status, asked.headers.get("allow"), await asked.text()]).toStrictEqual([204, allow, ""]);
    expect(asked.headers.get("access-control-allow-origin")).toBeNull();
    const put = await raw("PUT", path);
    expect([put.status, put.headers.get("allow")]).toStrictEqual([405, allow]);
    expect(await put.json()).toMatchObject({ status: 405, code: "method_not_allowed" });
  });

  test("a path that nobody knows is not found, whatever the method", async () => {
    for (const method of ["OPTIONS", "GET", "PUT"]) {
      const answer = await raw(method, "/api/v1/nothing-here");
      expect([answer.status, answer.headers.get("allow")]).toStrictEqual([404, null]);
      await answer.text();
    }
  });
});

describe("the rate limit", () => {
  const restOf = (answer: { readonly headers: Headers }) => {
    const [, rest = "", seconds = ""] =
      /^"default";r=(\d+);t=(\d+)$/.exec(answer.headers.get("ratelimit") ?? "") ?? [];
    return { rest: Number(rest), seconds: Number(seconds) };
  };

  const keyOf = async (): Promise<string> => {
    const made = await api("POST", "/backoffice/api-keys", { name: "limited", scopes: ["assets:read"] });
    return z.string().parse(made.body["key"]);
  };

  test("every answer to a key says what remains of its own quota, and one less after each request", async () => {
    const mine = { authorization: `Bearer ${await keyOf()}` };
    const rests: number[] = [];
    for (const path of ["/assets", "/assets/NOPE", "/assets?limit=0", "/jobs"]) {
      const answer = await api("GET", path, undefined, mine);
      expect(answer.headers.get("ratelimit-policy")).toBe('"default";q=3000;w=60');
      const { rest, seconds } = restOf(answer);
      expect(seconds).toBeGreaterThanOrEqual(1);
      expect(seconds).toBeLessThanOrEqual(60);
      rests.push(rest);
    }
    // A minute may turn in between; then the count begins anew.
    for (const [index, rest] of rests.entries())
      expect([(rests[index - 1] ?? 3000) - 1, 2999]).toContain(rest);
    expect(
      restOf(await api("GET", "/assets", undefined, { authorization: `Bearer ${await keyOf()}` })).rest,
    ).toBe(2999);
  });
});
