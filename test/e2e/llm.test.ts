import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod";
import type { ModelAnswer } from "../../src/domain/recommendation/llm/answer.ts";
import {
  type ModelCalled,
  type ModelServer,
  openAi,
  startModel,
} from "../domain/models/model-server.ts";
import { until } from "./api.ts";
import { type System, startSystem, stopEverything } from "./system.ts";

const KEY = "e2e-model-key-4711";

const shownData = z.object({
  asset: z.string(),
  close: z.string(),
  trend: z.object({ reason: z.string() }),
  evidence: z.array(z.object({ id: z.string(), reading: z.string() })),
});

const recommendation = z.object({
  id: z.string(),
  symbol: z.string(),
  engine: z.string(),
  summary: z.string(),
  modelId: z.string().optional(),
  fallback: z.object({ reason: z.string() }).optional(),
});
const page = z.object({ items: z.array(recommendation) });
const auditPage = z.object({
  items: z.array(
    z.object({
      outcome: z.string(),
      tries: z.array(z.object({ response: z.string().nullable() })),
    }),
  ),
});

/** A model that reads the shown data and answers cautiously. */
function careful({ body }: ModelCalled): ModelAnswer {
  const messages = z
    .array(z.object({ role: z.string(), content: z.string() }))
    .parse(body["messages"]);
  const user = messages.find(({ role }) => role === "user")?.content ?? "";
  const data = shownData.parse(JSON.parse(user.split("\n").slice(1, -2).join("\n")));
  return {
    action: "HOLD",
    evidence: [{ id: "trackRecord.HOLD", weight: 1 }],
    riskLevel: "HIGH",
    summary: `At ${data.close} the figures of ${data.asset} leave the direction open.`,
    reasoning: [data.trend.reason, ...data.evidence.slice(0, 2).map(({ reading }) => reading)],
    assumptions: [],
    caveats: [],
    confidence: 0.55,
  };
}

let model: ModelServer;
let system: System;

beforeAll(async () => {
  model = await startModel();
  // The answers about MSFT and SPX have a number of the model's own; those about SPX a second time
  // too.
  model.reply = (asked) => {
    const text = JSON.stringify(asked.body);
    const answer = careful(asked);
    const isRepair = text.includes("Your answer was not accepted");
    const invents = text.includes('\\"SPX\\"') || (text.includes('\\"MSFT\\"') && !isRepair);
    return { body: openAi(invents ? { ...answer, caveats: ["It may fall to 424242."] } : answer) };
  };
  system = await startSystem({
    env: {
      LLM_PROVIDER: "openai-compatible",
      LLM_BASE_URL: model.url,
      LLM_MODEL: "tiny-model",
      LLM_API_KEY: KEY,
    },
  });
});
afterAll(async () => {
  await stopEverything();
  await model.close();
});

const newestOf = (symbol: string) =>
  until(`a recommendation of ${symbol}`, async () => {
    const { items } = await system.api.get(`/assets/${symbol}/recommendations?limit=1`, page);
    return items[0] ?? null;
  });
const auditOf = async (id: string) =>
  (await system.api.get(`/recommendations/${id}/audit`, auditPage)).items[0];

test("a model over HTTP recommends, in its own words and with our numbers", async () => {
  const said = await newestOf("EURUSD");
  expect(said).toMatchObject({ engine: "llm", modelId: "tiny-model-1b" });
  expect(said.summary).toContain("the figures of EURUSD leave the direction open");
  expect(await auditOf(said.id)).toMatchObject({ outcome: "accepted" });
});

test("an invented number is repaired once", async () => {
  const said = await newestOf("MSFT");
  expect(said).toMatchObject({ engine: "llm" });
  const audit = await auditOf(said.id);
  expect(audit).toMatchObject({ outcome: "repaired" });
  expect(audit?.tries.map(({ response }) => response?.includes("424242"))).toEqual([true, false]);
});

test("one that stays is replaced by the rules, with a caveat", async () => {
  const said = await newestOf("SPX");
  expect(said).toMatchObject({ engine: "rules", fallback: { reason: "guardrail" } });
  expect(JSON.stringify(said)).not.toContain("424242");
  expect(await auditOf(said.id)).toMatchObject({ outcome: "refused" });
});

test("nothing that is printed or counted holds the key", async () => {
  const { text } = await system.api.ask("GET", `${system.origin}/metrics`);
  expect(text).toContain('model_answers_total{outcome="accepted"}');
  expect(text).toContain('model_tokens_total{provider="openai-compatible",kind="input"}');
  expect(`${system.output}${text}`).not.toContain(KEY);
});
