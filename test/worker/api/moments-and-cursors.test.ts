import { beforeAll, describe, expect, test } from "vitest";
import { api } from "../kit/api.ts";
import { type Described, described, filled, MANY_MS } from "../kit/openapi-document.ts";

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
      expect({ url, status, code: body["code"] }).toStrictEqual({
        url,
        status: 400,
        code: "invalid_query",
      });
    }
  });

  test(
    "a cursor that no list gave out is refused or leads somewhere, and is never our fault",
    async () => {
      const lists = operations.filter(({ parameters }) =>
        parameters.some(({ name }) => name === "cursor"),
      );
      expect(lists.length).toBeGreaterThan(20);
      for (const { path } of lists) {
        for (const cursor of [
          "x",
          "%00",
          "e30",
          "bnVsbA",
          "W10",
          "W1tdXQ",
          "A".repeat(5_000),
          "",
        ]) {
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
