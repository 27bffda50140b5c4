import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { type Api, until } from "./api.ts";
import { dailyBars } from "./daily-bars.ts";
import { refusal } from "./refusal.ts";
import { type System, startSystem, stopEverything } from "./system.ts";
import { assetView, eventView, jobView } from "./views.ts";

/** Parked at the first failure, so that the test does not wait for retries. */
const ONE_TRY = { type: "backoff", attempts: 1, baseSeconds: 1, capSeconds: 1 };

const instant = z.iso.datetime();
const deadLetterBody = z.object({
  id: z.string(),
  queue: z.string(),
  subject: z.string().nullable(),
  symbol: z.string().nullable(),
  body: z.unknown(),
  error: z.looseObject({ code: z.string() }),
  attempts: z.number(),
  firstAt: instant,
  lastAt: instant,
  fingerprint: z.string().nullable(),
  state: z.enum(["open", "redriving", "redriven", "discarded", "superseded"]),
  editedFrom: z.string().nullable(),
  editedTo: z.string().nullable(),
  reason: z.string().nullable(),
  createdAt: instant,
});
const waitingView = jobView.extend({ symbol: z.string(), waitingBehind: z.string().nullable() });

const LETTERS = "/backoffice/dead-letters";

let system: System;
let api: Api;
let deadLetter: z.infer<typeof deadLetterBody>;

beforeAll(async () => {
  system = await startSystem({
    env: { DEMO: "off", RETRY_POLICIES: JSON.stringify({ recommendation: ONE_TRY }) },
  });
  api = system.api;
  for (const symbol of ["HELD", "FREE"])
    await api.create(
      "/assets",
      { symbol, type: "CRYPTO", currency: "USD", source: "import" },
      assetView,
    );
  // There is nothing to recommend anything from yet.
  const order = await api.json("POST", "/jobs", { kind: "recommendation", symbol: "HELD" });
  expect(order.status).toBe(202);
  deadLetter = await until(
    "the dead letter",
    async () => (await api.all(LETTERS, deadLetterBody))[0] ?? null,
  );
});
afterAll(stopEverything);

describe("a parked job over HTTP", () => {
  test("blocks the later ones of its asset and no other, and reports that", async () => {
    expect(deadLetter).toMatchObject({
      symbol: "HELD",
      queue: "recommendations",
      attempts: 1,
      state: "open",
      error: { code: "analysis.not_ready" },
    });
    const held = await api.importCsv("HELD", dailyBars(30));
    const free = await api.importCsv("FREE", dailyBars(30));
    expect(await api.jobEnd(free)).toMatchObject({ state: "succeeded" });
    const waiting = await until("the job to wait", async () => {
      const job = await api.get(`/jobs/${encodeURIComponent(held)}`, waitingView);
      return job.waitingBehind === null ? null : job;
    });
    expect(waiting).toMatchObject({ state: "queued", waitingBehind: deadLetter.id, attempts: [] });
  });

  test("is found by filters and summed up by its cause", async () => {
    const found = (query: string) => api.all(`${LETTERS}?${query}`, deadLetterBody);
    expect(
      await found(`symbol=HELD&queue=recommendation&fingerprint=${deadLetter.fingerprint}`),
    ).toHaveLength(1);
    expect(await found("symbol=FREE")).toStrictEqual([]);
    expect(await found("before=2020-01-01")).toStrictEqual([]);
    const summary = z.object({
      items: z.array(z.object({ count: z.number(), example: deadLetterBody })),
    });
    expect((await api.get(`${LETTERS}/summary`, summary)).items).toMatchObject([
      { count: 1, example: { id: deadLetter.id } },
    ]);
  });

  test("shows in a dry run the result of a redrive", async () => {
    const answer = await api.ask("POST", `${LETTERS}/${deadLetter.id}/dry-run`);
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.text)).toMatchObject({
      wouldSendTo: "recommendations",
      body: { symbol: "HELD" },
      outcome: "later",
      error: { code: "analysis.not_ready" },
      events: [],
    });
  });

  const bad = (path: string, body: unknown, status: number, field?: string, method = "POST") =>
    ({ path, body, status, field, method }) as const;
  test.each([
    bad("/redrive", { filter: { colour: "red" } }, 422, "filter.colour"),
    bad("/redrive", { filter: { symbol: "lower" } }, 422, "filter.symbol"),
    bad("/redrive", { filter: { fingerprint: "zz" } }, 422, "filter.fingerprint"),
    bad("/redrive", { filter: { before: "soon" } }, 422, "filter.before"),
    bad("/redrive", { filter: {}, expect: -1 }, 422, "expect"),
    bad("/redrive", { filter: {}, expect: "1" }, 422, "expect"),
    bad("/redrive", {}, 422, "filter"),
    bad("/redrive", { filter: {}, expect: 7 }, 409, "expect"),
    bad("/discard", { filter: {}, expect: 1 }, 422, "reason"),
    bad("/discard", { filter: {}, expect: 1, reason: " " }, 422, "reason"),
    bad("/discard", { filter: {}, expect: 7, reason: "because" }, 409, "expect"),
    bad("/ID/discard", {}, 422, "reason"),
    bad("/ID/discard", { reason: "x" }, 422, "reason"),
    bad("/ID/discard", { reason: "y".repeat(501) }, 422, "reason"),
    bad("/ID/discard", undefined, 422),
    bad("/ID/redrive", { planHash: "abc" }, 422, "planHash"),
    bad("/ID/redrive", { planHash: "0".repeat(64) }, 409),
    bad("/ID/redrive", { force: true }, 422),
    bad("/nope/redrive", {}, 404),
    bad("/nope/discard", { reason: "because" }, 404),
    bad("/nope/dry-run", undefined, 404),
    bad("/nope", { body: { a: 1 } }, 404, undefined, "PATCH"),
    bad("/ID", {}, 422, "body", "PATCH"),
    bad("/ID", { body: "text" }, 422, "body", "PATCH"),
    bad(
      "/ID",
      { body: { jobId: "x", kind: "ingest", symbol: "HELD" } },
      422,
      "body.jobId",
      "PATCH",
    ),
    bad("/ID", { params: { until: "2030-01-01" } }, 422, "params.until", "PATCH"),
    bad("?state=shut", undefined, 400, "state", "GET"),
    bad("?fingerprint=1", undefined, 400, "fingerprint", "GET"),
    bad("?cursor=nonsense", undefined, 400, undefined, "GET"),
    bad("/summary?state=shut", undefined, 400, "state", "GET"),
  ])("$method $path with $body is $status", async ({ method, path, body, status, field }) => {
    const url = `${LETTERS}${path.replace("/ID", `/${deadLetter.id}`)}`;
    const answer =
      body === undefined ? await api.ask(method, url) : await api.json(method, url, body);
    const problem = refusal(answer, status);
    if (field !== undefined) expect(problem.errors?.map((error) => error.field)).toContain(field);
    expect(await api.get(`${LETTERS}/${deadLetter.id}`, deadLetterBody)).toStrictEqual(deadLetter);
  });

  test("is discarded with a reason, and the blocked jobs run in order to their end", async () => {
    const counted = await api.json("POST", `${LETTERS}/discard`, { filter: { symbol: "HELD" } });
    expect(JSON.parse(counted.text)).toMatchObject({ matching: 1, assets: 1, done: 0 });
    const reason = "there were no bars yet";
    const answer = await api.json("POST", `${LETTERS}/${deadLetter.id}/discard`, { reason });
    expect(answer.status).toBe(200);
    expect(deadLetterBody.parse(JSON.parse(answer.text))).toMatchObject({
      state: "discarded",
      reason,
    });
    refusal(await api.json("POST", `${LETTERS}/${deadLetter.id}/discard`, { reason }), 409);
    const events = await until("the recommendation", async () => {
      const all = await api.all("/events?pattern=asset.HELD.%23", eventView);
      return all.some(({ eventType }) => eventType === "RecommendationGenerated") ? all : null;
    });
    expect(events.map(({ eventType }) => eventType)).toStrictEqual([
      "AssetRegistered",
      "MarketDataIngested",
      "IndicatorsComputed",
      "RecommendationGenerated",
    ]);
    const audit = z.object({
      action: z.string(),
      subject: z.string(),
      outcome: z.string(),
      actor: z.string(),
    });
    const rows = (await api.all("/backoffice/audit?limit=200", audit)).filter(
      ({ subject }) => subject === deadLetter.id,
    );
    expect(rows.map(({ action, outcome }) => `${action} ${outcome}`)).toStrictEqual([
      "dead-letter.discard refused",
      "dead-letter.discard done",
      "dead-letter.redrive refused",
      "dead-letter.dry-run later",
    ]);
  });
});
