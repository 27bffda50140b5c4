import { beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { api } from "../kit/api.ts";
import {
  bodyOf,
  type Described,
  described,
  filled,
  MANY_MS,
  refused,
} from "../kit/openapi-document.ts";

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
        const problem = await refused(
          method,
          `${filled(path)}?${name}=1&${name}=1`,
          bodyOf(method),
        );
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
    const { errors } = await refused(
      "GET",
      "/assets/KNOWN/bars?limit=0&ajusted=split&form=2020-01-01",
    );
    expect(errors.map(({ field }) => field).toSorted()).toStrictEqual(["ajusted", "form", "limit"]);
  });

  test(
    "every limit is an integer to machines, with its ends and its default, and nothing else is taken",
    async () => {
      const limited = operations.filter(({ parameters }) =>
        parameters.some(({ name }) => name === "limit"),
      );
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
          expect(problem, `${path}?limit=${wrong}`).toMatchObject({
            status: 400,
            code: "invalid_query",
          });
          expect(problem.errors.map(({ field }) => field)).toContain("limit");
        }
      }
    },
    MANY_MS,
  );
});

describe("symbols as venues write them", () => {
  const percent = (text: string): string =>
    [...new TextEncoder().encode(text)]
      .map((byte) => `%${byte.toString(16).padStart(2, "0")}`)
      .join("");

  test.each(["^GSPC", "EURUSD=X", "BRK.B", "BTC-USD", "A_B", "0700.HK"])(
    "%s is found at every route of an asset, however its characters are written",
    async (symbol) => {
      const asset = { symbol, type: "STOCK", currency: "USD", calendar: "XNYS", source: "import" };
      const made = await api("POST", "/assets", asset);
      expect(made.status).toBe(201);
      const location = z.string().parse(made.headers.get("location")).replace("/api/v1", "");
      expect((await api("GET", location)).body).toMatchObject({ symbol });
      const routes = operations.filter(
        ({ method, path }) =>
          method === "GET" && path.startsWith("/assets/{symbol}") && !path.includes("{id}"),
      );
      expect(routes.length).toBeGreaterThan(6);
      for (const { path } of routes) {
        const answers = [];
        for (const written of [symbol, encodeURIComponent(symbol), percent(symbol)]) {
          const { status, body } = await api("GET", path.replace("{symbol}", written));
          answers.push({ status, detail: body["detail"] });
          // Without bars there is no analysis, but the asset is known.
          expect(String(body["detail"] ?? "")).not.toMatch(/no asset|not registered/i);
        }
        expect(new Set(answers.map((answer) => JSON.stringify(answer))).size, path).toBe(1);
      }
    },
  );
});
