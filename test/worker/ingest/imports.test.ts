import { env, exports } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { ANSWER_NAMES } from "../../../src/domain/import/question.ts";
import { Broker } from "../kit/broker.ts";
import { job, openAsset, rows, stopClock } from "../kit/market.ts";

const HEADER = "Date,Open,High,Low,Close,Volume";

let broker: Broker;
beforeAll(async () => {
  stopClock();
  broker = new Broker();
});

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

async function send(
  path: string,
  body: string | Uint8Array,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const request = new Request(`http://127.0.0.1/api/v1${path}`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${env.ADMIN_API_KEY}`,
      "content-type": "text/csv",
      ...headers,
    },
    body,
  });
  const response = await exports.default.fetch(request);
  return { status: response.status, body: await response.json() };
}

const lines = (...all: readonly string[]): string => all.join("\n");
const preview = (symbol: string, query: string, body: string | Uint8Array) =>
  send(`/assets/${symbol}/bars/preview${query}`, body);

/** Sends a file, runs its job, and tells its state with the bars that are stored then. */
async function store(symbol: string, query: string, body: string | Uint8Array, headers = {}) {
  const answer = await send(`/assets/${symbol}/bars${query}`, body, headers);
  if (answer.status !== 202) throw new Error(JSON.stringify(answer));
  const jobId = String(answer.body["jobId"]);
  broker.put("INGEST_QUEUE", { jobId, kind: "ingest", symbol });
  await broker.settle();
  return job(jobId);
}
const stored = (symbol: string) =>
  rows<{ timestamp: number; close: number; volume: number | null }>(
    "SELECT timestamp, close, volume FROM bars WHERE symbol = ? ORDER BY timestamp",
    symbol,
  );
const datesOf = async (symbol: string): Promise<string[]> =>
  (await stored(symbol)).map(({ timestamp }) => new Date(timestamp).toISOString().slice(0, 10));

describe("a preview", () => {
  beforeAll(() => openAsset("LOOK"));

  it("tells what a file was understood as, and its first rows as they would be stored", async () => {
    const file = lines(
      "Date,Close/Last,Volume,Open,High,Low",
      ...Array.from(
        { length: 12 },
        (_, day) =>
          `03/${String(31 - day).padStart(2, "0")}/2023,$151.03,70732300,$148.045,$151.11,$147.33`,
      ),
    );
    const { status, body } = await preview("LOOK", "", file);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      symbol: "LOOK",
      ready: true,
      recognised: {
        form: { id: "nasdaq" },
        encoding: "UTF-8",
        delimiter: ",",
        headerRow: 1,
        columns: { timestamp: "Date", close: "Close/Last" },
        dateFormat: "MDY",
        decimal: ".",
        currencySigns: ["$"],
        resolution: "1d",
        spacing: "1d",
        timeZone: null,
      },
      rows: 12,
      questions: [],
    });
    expect(body["bars"]).toHaveLength(10);
    expect(body["bars"]).toMatchObject([
      { row: 1, line: 2, timestamp: "2023-03-31T00:00:00.000Z", close: 151.03, volume: 70732300 },
      ...Array.from({ length: 9 }, () => ({})),
    ]);
    expect(await stored("LOOK")).toEqual([]);
  });

  it("asks everything at once, and each choice says the query that answers it", async () => {
    const file = lines(
      "Date;Open;High;Low;Close;Volume",
      "01/03/2023;15.365;15.380;15.240;15.305;5",
    );
    const { body } = await preview("LOOK", "", file);
    expect(body).toMatchObject({
      ready: false,
      bars: [],
      questions: [
        {
          parameter: "dateFormat",
          choices: [{ query: "dateFormat=DMY" }, { query: "dateFormat=MDY" }],
        },
        { parameter: "decimal", choices: [{ query: "decimal=." }, { query: "decimal=," }] },
      ],
    });
    const answered = await preview("LOOK", "?dateFormat=MDY&decimal=,", file);
    expect(answered.body).toMatchObject({
      ready: true,
      questions: [],
      bars: [{ timestamp: "2023-01-03T00:00:00.000Z", open: 15365, close: 15305 }],
    });
  });

  it("shows the rows that would be refused, each counted once", async () => {
    const file = lines(HEADER, "2023-03-01,1,2,3,-4,-5", "2023-03-02,1,2,0.5,1.5,10");
    const { body } = await preview("LOOK", "", file);
    expect(body).toMatchObject({ ready: false, bars: [], refused: { total: 1 } });
  });

  it.each([
    ["an empty file", "", "", 422, "empty"],
    ["a file without rows", "", HEADER, 422, "no rows"],
    ["a date format that is none", "?dateFormat=DDMM", HEADER, 400, "dateFormat"],
    ["a zone that is none", "?timeZone=Mars/Base", HEADER, 400, "timeZone"],
    ["columns that are none", "?columns=price:2", HEADER, 400, "columns"],
    ["a delimiter that is none", "?delimiter=x", HEADER, 400, "delimiter"],
  ])("refuses %s", async (_, query, file, status, word) => {
    const answer = await preview("LOOK", query, file);
    expect(answer.status).toBe(status);
    expect(JSON.stringify(answer.body)).toContain(word);
  });

  it("is described with every parameter that answers a question, as the import is", async () => {
    const response = await exports.default.fetch(new Request("http://127.0.0.1/api/openapi.json"));
    const document: { paths: Record<string, { post?: { parameters?: { name: string }[] } }> } =
      await response.json();
    for (const path of ["/assets/{symbol}/bars/preview", "/assets/{symbol}/bars"]) {
      const names = document.paths[path]?.post?.parameters?.map(({ name }) => name);
      expect(names, path).toEqual(expect.arrayContaining(["symbol", ...ANSWER_NAMES]));
    }
  });

  it("is of CSV, and of assets that there are", async () => {
    const json = await send("/assets/LOOK/bars/preview", "{}", {
      "content-type": "application/json",
    });
    expect(json.status).toBe(415);
    expect((await preview("NOBODY", "", HEADER)).status).toBe(404);
  });
});

describe("an import", () => {
  it("refuses an ambiguous file with every question and its way out, and stores nothing", async () => {
    await openAsset("OPEN");
    const file = lines(
      "Date;Open;High;Low;Close;Volume",
      "01/03/2023;15.365;15.380;15.240;15.305;5",
    );
    const { status, body } = await send("/assets/OPEN/bars", file);
    expect(status).toBe(422);
    expect(body["errors"]).toMatchObject([
      { field: "file", reason: expect.stringMatching(/dateFormat=DMY .*dateFormat=MDY /) },
      { field: "file", reason: expect.stringMatching(/decimal=\. .*decimal=, /) },
    ]);
    expect(await rows("SELECT id FROM jobs WHERE symbol = 'OPEN'")).toEqual([]);
  });

  it("is read by its job as the answers say", async () => {
    await openAsset("SAID");
    const file = lines(
      "Date;Open;High;Low;Close;Volume",
      "01/03/2023;15.365;15.380;15.240;15.305;5",
    );
    expect(await store("SAID", "?dateFormat=DMY&decimal=.", file)).toMatchObject({
      state: "succeeded",
    });
    expect(await stored("SAID")).toEqual([
      { timestamp: Date.UTC(2023, 2, 1), close: 15.305, volume: 5 },
    ]);
  });

  it("counts the rows without prices that an export writes", async () => {
    await openAsset("NULLS");
    const file = lines(
      "Date,Open,High,Low,Close,Adj Close,Volume",
      "2023-03-01,1,2,0.5,1.5,1.4,10",
      "2023-03-02,null,null,null,null,null,null",
    );
    const done = await store("NULLS", "", file);
    expect(done.result).toMatchObject({
      added: 1,
      skipped: { total: 1, rows: [{ line: 3, reason: "has no prices" }] },
    });
  });

  it.each([
    [
      "UTF-16",
      new Uint8Array([
        0xff,
        0xfe,
        ...utf16("Datum\tZuletzt\tEröffn.\tHoch\tTief\n01.03.2023\t1,5\t1\t2\t0,5\n"),
      ]),
    ],
    [
      "Windows-1252",
      Uint8Array.from(
        "Datum\tZuletzt\tEröffn.\tHoch\tTief\n01.03.2023\t1,5\t1\t2\t0,5\n",
        (deadLetter) => deadLetter.charCodeAt(0),
      ),
    ],
  ])(
    "keeps the bytes of a file in %s as they came, also under an Idempotency-Key",
    async (name, file) => {
      const symbol = name.replace("-", "").toUpperCase();
      await openAsset(symbol);
      const done = await store(symbol, "", file, { "idempotency-key": `file-${name}` });
      expect(done).toMatchObject({ state: "succeeded", result: { added: 1 } });
      expect(await stored(symbol)).toEqual([
        { timestamp: Date.UTC(2023, 2, 1), close: 1.5, volume: null },
      ]);
    },
  );

  it("stores a midnight at the written offset under the date it spells, in winter and in summer, as CSV and as JSON", async () => {
    await openAsset("ZONED");
    const stamps = [
      "2023-03-24 00:00:00+01:00",
      "2023-03-27 00:00:00+02:00",
      "2023-03-28T00:00:00-05:00",
      "2023-03-29T00:00+05:30",
    ];
    const dates = ["2023-03-24", "2023-03-27", "2023-03-28", "2023-03-29"];
    await store("ZONED", "", lines(HEADER, ...stamps.map((stamp) => `${stamp},1,2,0.5,1.5,10`)));
    expect(await datesOf("ZONED")).toEqual(dates);
    await openAsset("ZONEDJ");
    const bars = stamps.map((timestamp) => ({ timestamp, close: 1 }));
    await store("ZONEDJ", "", JSON.stringify({ bars }), { "content-type": "application/json" });
    expect(await datesOf("ZONEDJ")).toEqual(dates);
  });

  it.each(["text/csv", "application/json"])(
    "never dates an evening after the session without asking whose clock it is on, as %s",
    async (type) => {
      const symbol = type === "text/csv" ? "EVENC" : "EVENJ";
      await openAsset(symbol);
      const stamps = ["2023-01-09T23:00:00Z", "2023-01-10T23:00:00Z"];
      const body =
        type === "text/csv"
          ? lines(HEADER, ...stamps.map((stamp) => `${stamp},1,2,0.5,1.5,10`))
          : JSON.stringify({ bars: stamps.map((timestamp) => ({ timestamp, close: 1.5 })) });
      const headers = { "content-type": type };
      const asked = await send(`/assets/${symbol}/bars`, body, headers);
      expect(asked.status).toBe(422);
      expect(JSON.stringify(asked.body)).toMatch(
        /timeZone=America\/New_York .*timeZone=Europe\/Berlin/,
      );
      await store(symbol, "?timeZone=Europe/Berlin", body, headers);
      expect(await datesOf(symbol)).toEqual(["2023-01-10", "2023-01-11"]);
    },
  );

  it("refuses a file whose currency sign is another currency's, and says so in the preview", async () => {
    await openAsset("EUROS", { currency: "EUR" });
    const file = lines("Date,Close", "2023-03-01,$12.50", "2023-03-02,$12.75");
    for (const path of ["/assets/EUROS/bars", "/assets/EUROS/bars/preview"]) {
      const refused = await send(path, file, { "content-type": "text/csv" });
      expect(refused.status, path).toBe(422);
      expect(JSON.stringify(refused.body), path).toMatch(/asset's currency is EUR/);
    }
    await openAsset("CADS", { currency: "CAD" });
    await store("CADS", "", file);
    expect(await datesOf("CADS")).toEqual(["2023-03-01", "2023-03-02"]);
  });

  it.each(["text/csv", "application/json"])(
    "never stores a week dated on a Sunday without asking which week it is, as %s",
    async (type) => {
      const symbol = type === "text/csv" ? "WEEKC" : "WEEKJ";
      await openAsset(symbol);
      const body =
        type === "text/csv"
          ? lines(HEADER, "2023-01-08,1,2,0.5,1.5,10")
          : JSON.stringify({ resolution: "1w", bars: [{ timestamp: "2023-01-08", close: 1.5 }] });
      const headers = { "content-type": type };
      const asked = await send(`/assets/${symbol}/bars?resolution=1w`, body, headers);
      expect(asked.status).toBe(422);
      expect(JSON.stringify(asked.body)).toMatch(/weekDated=start .*weekDated=end /);
      await store(symbol, "?resolution=1w&weekDated=start", body, headers);
      expect(await datesOf(symbol)).toEqual(["2023-01-09"]);
    },
  );

  it("files a week of foreign exchange under the Monday after the Sunday on which it opens", async () => {
    await openAsset("EURX", { type: "FX", calendar: "FX" });
    await store("EURX", "?resolution=1w", lines(HEADER, "2023-01-08,1,2,0.5,1.5,10"));
    const bars = [{ timestamp: "2023-01-15", close: 1.5 }];
    await store("EURX", "", JSON.stringify({ resolution: "1w", bars }), {
      "content-type": "application/json",
    });
    expect(await datesOf("EURX")).toEqual(["2023-01-09", "2023-01-16"]);
  });

  it("refuses parameters of CSV beside JSON", async () => {
    await openAsset("MIXED");
    const body = JSON.stringify({ bars: [{ timestamp: "2023-01-09", close: 1 }] });
    const answer = await send("/assets/MIXED/bars?dateFormat=DMY", body, {
      "content-type": "application/json",
    });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ field: "dateFormat" }] } });
  });

  it("refuses more JSON than an upload holds before parsing it", async () => {
    await openAsset("HUGE");
    const body = `{"bars":[${"{},".repeat(100_000)}{}]}`;
    const answer = await send("/assets/HUGE/bars", body, { "content-type": "application/json" });
    expect(answer).toMatchObject({ status: 422, body: { errors: [{ field: "bars" }] } });
  });
});

function utf16(text: string): number[] {
  return [...text].flatMap((deadLetter) => [
    deadLetter.charCodeAt(0) & 0xff,
    deadLetter.charCodeAt(0) >> 8,
  ]);
}
