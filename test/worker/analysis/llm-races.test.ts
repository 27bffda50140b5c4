import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { canonicalJson } from "../../../src/domain/recommendation/canonical-json.ts";
import {
  claimQuestion,
  pruneModelRecords,
  reserveTokens,
  settleQuestion,
} from "../../../src/records/analysis/model-records.ts";
import { api } from "../kit/api.ts";
import { Broker } from "../kit/broker.ts";
import { DAY, enqueueJob, job, passSeconds, rows, stopClock } from "../kit/market.ts";
import { Meter } from "../kit/meter.ts";
import {
  analysed,
  audits,
  completion,
  forget,
  hold,
  KEY,
  Model,
  recommend,
  recommendationsOf,
  tokensToday,
  withModel,
} from "../kit/models.ts";

const on = withModel();
let broker: Broker;
let model: Model;

beforeAll(() => {
  stopClock();
  broker = new Broker();
  model = new Model();
  for (const level of ["warn", "error", "info"] as const)
    vi.spyOn(console, level).mockImplementation(() => undefined);
});
beforeEach(async () => {
  await forget(on);
  broker.take("RECOMMENDATIONS_QUEUE");
});

/** Delivers until nothing is left, over as much time as it takes. */
async function untilDone(id: string, where: Env): Promise<void> {
  for (let round = 0; round < 20 && (await job(id)).state !== "succeeded"; round++) {
    passSeconds(120);
    await broker.deliverDueOn("RECOMMENDATIONS_QUEUE", where);
  }
}

describe("two workers with the same question", () => {
  it("pay for one call, and both jobs end with the one recommendation", async () => {
    await analysed(broker, "RACE");
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const patient = withModel({ LLM_TIMEOUT_SECONDS: "20" });
    model.says(async (asked) => {
      await gate;
      return completion(hold())(asked);
    });
    const first = recommend(broker, "RACE", "a", patient);
    // The first call loads the library, which takes its time here.
    await vi.waitFor(() => expect(model.asked).toHaveLength(1), { timeout: 20_000 });
    expect(await recommend(broker, "RACE", "b", patient)).toMatchObject({
      state: "retrying",
      attempts: [],
      error: { code: "model.answer_in_progress" },
    });
    release();
    expect(await first).toMatchObject({ state: "succeeded" });
    await untilDone("recommendation|RACE|b", patient);
    expect(await job("recommendation|RACE|b")).toMatchObject({
      state: "succeeded",
      result: { repeated: true },
    });
    expect(model.asked).toHaveLength(1);
    expect(await recommendationsOf("RACE")).toHaveLength(1);
    expect(await audits("RACE")).toHaveLength(1);
  });

  it("get it one at a time, whoever comes how often", async () => {
    const now = Date.now();
    const claims = await Promise.all(
      Array.from({ length: 12 }, (_, at) =>
        claimQuestion(env.DB, "q", `holder ${at}`, now, now + 1_000),
      ),
    );
    expect(claims.filter(({ kind }) => kind === "mine")).toHaveLength(1);
    expect(claims.filter(({ kind }) => kind === "busy")).toHaveLength(11);
    const late = await Promise.all(
      Array.from({ length: 12 }, (_, at) =>
        claimQuestion(env.DB, "q", `later ${at}`, now + 1_000, now + 9_000),
      ),
    );
    expect(late.filter(({ kind }) => kind === "mine")).toHaveLength(1);
    const settled = { kind: "refused", reason: "guardrail", recommendationId: "r" } as const;
    // Whose lease ran out cannot settle what is another's.
    const winner = claims.findIndex(({ kind }) => kind === "mine");
    const tooLate = await settleQuestion(env.DB, "q", `holder ${winner}`, settled).run();
    expect(tooLate.meta.changes).toBe(0);
  });

  it("reserve no token twice", async () => {
    const now = Date.now();
    const got = await Promise.all(
      Array.from({ length: 40 }, () => reserveTokens(env.DB, now, 100, 1_050)),
    );
    expect(got.filter(Boolean)).toHaveLength(10);
    expect(await tokensToday()).toBe(1_000);
    expect(await reserveTokens(env.DB, now, 51, 1_050)).toBe(false);
    expect(await reserveTokens(env.DB, now, 50, 1_050)).toBe(true);
  });
});

describe("a worker that dies", () => {
  it("between call and record costs one more call, after its lease, and no second recommendation", async () => {
    await analysed(broker, "CRASH");
    model.says(completion(hold()));
    const real = env.DB.batch.bind(env.DB);
    const batch = vi.spyOn(env.DB, "batch").mockImplementation(async (statements) => {
      // The end of the first inquiry never reaches the database.
      if (model.asked.length === 1 && statements.length === 3)
        throw new Error("Network connection lost.");
      return real(statements) as never;
    });
    const done = await recommend(broker, "CRASH", "a", on);
    expect(done).toMatchObject({ state: "retrying", error: { code: "platform.unexpected" } });
    expect(await recommendationsOf("CRASH")).toHaveLength(0);
    batch.mockRestore();
    await untilDone("recommendation|CRASH|a", on);
    expect(model.asked).toHaveLength(2);
    expect(await recommendationsOf("CRASH")).toMatchObject([{ engine: "llm" }]);
    expect(await audits("CRASH")).toHaveLength(1);
  });

  it("between record and answer costs no call: the answer stands", async () => {
    await analysed(broker, "LOST");
    model.says(completion(hold()));
    const real = env.ASSET_OBJECTS.getByName.bind(env.ASSET_OBJECTS);
    let lost = 0;
    const objects = vi.spyOn(env.ASSET_OBJECTS, "getByName").mockImplementation((name) => {
      const stub = real(name);
      return new Proxy(stub, {
        get(target, key) {
          if (key !== "recordRecommendation" || lost > 0)
            return Reflect.get(target, key, target) as unknown;
          return async (command: Parameters<typeof stub.recordRecommendation>[0]) => {
            lost += 1;
            await stub.recordRecommendation(command);
            throw new Error("Network connection lost.");
          };
        },
      });
    });
    await recommend(broker, "LOST", "a", on);
    objects.mockRestore();
    await untilDone("recommendation|LOST|a", on);
    expect(await job("recommendation|LOST|a")).toMatchObject({ state: "succeeded" });
    expect(model.asked).toHaveLength(1);
    const [body, ...others] = await recommendationsOf("LOST");
    expect(others).toEqual([]);
    expect((await audits("LOST"))[0]).toMatchObject({ recommendation_id: body?.recommendationId });
  });
});

describe("a question", () => {
  it("costs no more rows than docs/costs.md says, and its answer none but the recommendation's", async () => {
    await analysed(broker, "ROWS");
    model.says(completion(hold()));
    const rules = (await rowsOf("ROWS", "rules", withModel({ LLM_PROVIDER: "off" }))).d1Rows;
    const asked = (await rowsOf("ROWS", "asked", on)).d1Rows;
    const known = (await rowsOf("ROWS", "known", on)).d1Rows;
    expect(await recommendationsOf("ROWS")).toMatchObject([{ engine: "rules" }, { engine: "llm" }]);
    expect(asked - rules).toBe(8);
    // Nothing new is recorded, so not even the stream's head is noted.
    expect(known).toBeLessThanOrEqual(rules);
  });

  async function rowsOf(symbol: string, slot: string, where: Env) {
    broker.put("RECOMMENDATIONS_QUEUE", await enqueueJob("recommendation", symbol, slot));
    const meter = new Meter(broker, symbol);
    await meter.start();
    const cost = await meter.of(() => broker.deliverDueOn("RECOMMENDATIONS_QUEUE", where));
    vi.restoreAllMocks();
    broker = new Broker();
    const says = model;
    model = new Model();
    model.says(completion(hold()));
    expect(says.asked.length).toBe(slot === "asked" ? 1 : 0);
    return cost;
  }
});

describe("a challenger", () => {
  const engines = JSON.stringify([
    { name: "champion", weight: 1, engine: "llm", model: "big-model" },
    { name: "challenger", weight: 1, engine: "llm", model: "small-model" },
    { name: "control", weight: 1, engine: "rules" },
  ]);

  it("has its own assets, and each says whose it is", async () => {
    const where = withModel({ ENGINES: engines });
    model.says(completion(hold()));
    const seen = new Map<string, string>();
    for (let at = 0; at < 9; at++) {
      const symbol = `SIDE${at}`;
      await analysed(broker, symbol, 60);
      await recommend(broker, symbol, "a", where);
      const [body] = await recommendationsOf(symbol);
      seen.set(body?.variant ?? "", body?.engine ?? "");
      const asked = model.asked.at(-1)?.body ?? "";
      if (body?.variant === "champion") expect(asked).toContain('"big-model"');
      if (body?.variant === "challenger") expect(asked).toContain('"small-model"');
    }
    expect(Object.fromEntries(seen)).toEqual({
      champion: "llm",
      challenger: "llm",
      control: "rules",
    });
  });
});

describe("the audit", () => {
  it("is shown to operators, whole and without secrets", async () => {
    await analysed(broker, "AUDIT");
    model.says(completion(`{"key": "${KEY}"}`), completion(hold()));
    await recommend(broker, "AUDIT", "a", on);
    await broker.deliverDue("EVENTS_QUEUE");
    const [body] = await recommendationsOf("AUDIT");
    const { status, body: shown } = await api(
      "GET",
      `/recommendations/${body?.recommendationId}/audit`,
    );
    expect(status, JSON.stringify(shown)).toBe(200);
    expect(shown).toMatchObject({
      recommendationId: body?.recommendationId,
      items: [
        {
          outcome: "repaired",
          promptVersion: "2",
          tries: [
            { response: '{"key": "***"}', verdict: [{ check: "schema" }] },
            {
              verdict: [
                { check: "schema", problems: [] },
                { check: "lengths" },
                { check: "evidence" },
                ...Array(9).fill({}),
              ],
            },
          ],
        },
      ],
    });
    expect(JSON.stringify(shown)).not.toContain(KEY);
    expect(
      (await api("GET", "/recommendations/019d0000-0000-7000-8000-000000000011/audit")).status,
    ).toBe(404);
    expect((await api("GET", "/recommendations/nonsense/audit")).status).toBe(400);
    const { body: rec } = await api("GET", `/recommendations/${body?.recommendationId}`);
    expect(rec).toMatchObject({ engine: "llm", variant: "llm", modelId: "tiny-model-1b" });
  });

  it("is forgotten when it is old, a bounded number at a time", async () => {
    const before = await rows("SELECT 1 FROM model_audits");
    expect(before.length).toBeGreaterThan(2);
    expect(await pruneModelRecords(env.DB, Date.now() - 2 * DAY, 500)).toBe(0);
    passSeconds(3 * 86_400);
    await pruneModelRecords(env.DB, Date.now() - 2 * DAY, 1);
    expect(await rows("SELECT 1 FROM model_audits")).toHaveLength(before.length - 1);
    await pruneModelRecords(env.DB, Date.now() - 2 * DAY, 500);
    for (const table of ["model_audits", "model_answers", "model_budgets"])
      expect(await rows(`SELECT 1 FROM ${table}`)).toEqual([]);
  });
});

describe("a dry run", () => {
  it("asks no model and writes nothing", async () => {
    await analysed(broker, "DRY");
    model.says();
    const { planOf } = await import("../../../src/wiring/operations/dry-run.ts");
    const { platform } = await import("../../../src/wiring/platform/platform.ts");
    const message = await enqueueJob("recommendation", "DRY", "a");
    await env.DB.prepare("UPDATE jobs SET state = 'failed', due_at = NULL WHERE id = ?")
      .bind(message.jobId)
      .run();
    const everything = async () =>
      canonicalJson(
        await Promise.all(
          ["model_answers", "model_audits", "model_budgets"].map((t) => rows(`SELECT * FROM ${t}`)),
        ),
      );
    const before = await everything();
    const plan = await planOf(platform(on), message);
    expect(plan, JSON.stringify(plan)).toMatchObject({ outcome: "done" });
    expect(JSON.stringify(plan)).toContain("RecommendationGenerated");
    expect(model.asked).toHaveLength(0);
    expect(await everything()).toBe(before);
  });
});
