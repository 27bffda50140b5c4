import { env } from "cloudflare:workers";
import { expect, vi } from "vitest";
import type { ModelAnswer } from "../../../src/domain/recommendation/llm/answer.ts";
import type { RecommendationBody } from "../../../src/domain/recommendation/recommendation.ts";
import { pausesOf } from "../../../src/wiring/consumers/models.ts";
import { platform } from "../../../src/wiring/platform/platform.ts";
import type { Broker } from "./broker.ts";
import { days, enqueueImport, enqueueJob, eventsOf, job, openAsset, rows } from "./market.ts";

export const KEY = "model-key-very-secret-0815";
const ORIGIN = "http://model.example";

/** The environment with a model in it; queues, objects and database stay those of the test. */
export const withModel = (changes: Record<string, string> = {}): Env =>
  ({
    ...env,
    LLM_PROVIDER: "openai-compatible",
    LLM_BASE_URL: `${ORIGIN}/v1`,
    LLM_MODEL: "tiny-model",
    LLM_API_KEY: KEY,
    LLM_TIMEOUT_SECONDS: "1",
    ...changes,
  }) as Env;

export type Says = (asked: {
  readonly body: string;
  readonly headers: Headers;
}) => Response | Promise<Response>;

/**
 * The model's endpoint in the test's hands: what it says next (the last one again and again), and
 * what it was asked.
 */
export class Model {
  readonly asked: { readonly body: string; readonly headers: Headers }[] = [];
  #says: Says[] = [];

  constructor() {
    vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
      const request = new Request(input, init);
      if (new URL(request.url).origin !== ORIGIN)
        throw new TypeError(`nobody listens at ${request.url}`);
      const asked = { body: await request.text(), headers: request.headers };
      this.asked.push(asked);
      const says = this.#says.length > 1 ? this.#says.shift() : this.#says[0];
      if (says === undefined) throw new Error("the model was asked and has nothing to say");
      init?.signal?.throwIfAborted();
      const late = new Promise<never>((_, reject) => {
        init?.signal?.addEventListener("abort", () => reject(init.signal?.reason as Error));
      });
      return Promise.race([Promise.resolve(says(asked)), late]);
    });
  }

  says(...next: readonly Says[]): void {
    this.asked.length = 0;
    this.#says = [...next];
  }
}

export const completion = (content: unknown, changes: Record<string, unknown> = {}): Says => {
  const text = typeof content === "string" ? content : JSON.stringify(content);
  return () =>
    Response.json({
      id: "chatcmpl-1",
      object: "chat.completion",
      created: 1,
      model: "tiny-model-1b",
      choices: [
        {
          index: 0,
          message: { role: "assistant", content: text },
          finish_reason: "stop",
          ...changes,
        },
      ],
      usage: { prompt_tokens: 1_000, completion_tokens: 200, total_tokens: 1_200 },
    });
};

export const status = (code: number, headers: HeadersInit = {}): Says => {
  return () =>
    new Response(JSON.stringify({ error: { message: `no, ${KEY}` } }), { status: code, headers });
};

/** A careful answer that any snapshot with enough history lets pass. */
export const hold = (changes: Partial<ModelAnswer> = {}): ModelAnswer => ({
  action: "HOLD",
  evidence: [{ id: "trackRecord.HOLD", weight: 1 }],
  riskLevel: "HIGH",
  summary: "The figures do not agree with each other, so holding is the calm reading.",
  reasoning: ["Signals point in different directions."],
  assumptions: [],
  caveats: ["Direction is hard to tell from prices alone."],
  confidence: 0.6,
  ...changes,
});

/** An asset with history, analysed; the message of its recommendation job is not delivered yet. */
export async function analysed(broker: Broker, symbol: string, count = 300): Promise<void> {
  await openAsset(symbol);
  broker.put("INGEST_QUEUE", await enqueueImport(symbol, "history", days(count)));
  await broker.deliverDue("INGEST_QUEUE");
  await broker.deliverDue("EVENTS_QUEUE");
  await broker.deliverDue("INDICATORS_QUEUE");
  broker.take("EVENTS_QUEUE");
  broker.take("RECOMMENDATIONS_QUEUE");
}

/** Runs one recommendation job to its end, whatever it takes, and tells it. */
export async function recommend(broker: Broker, symbol: string, slot: string, where: Env) {
  broker.put("RECOMMENDATIONS_QUEUE", await enqueueJob("recommendation", symbol, slot));
  await broker.deliverDueOn("RECOMMENDATIONS_QUEUE", where);
  return job(`recommendation|${symbol}|${slot}`);
}

export async function recommendationsOf(symbol: string): Promise<RecommendationBody[]> {
  const events = await eventsOf(symbol);
  return events.flatMap((event) =>
    event.eventType === "RecommendationGenerated" ? [event.payload] : [],
  );
}

export const audits = (symbol: string) =>
  rows<Record<string, string | number | null>>(
    "SELECT * FROM model_audits WHERE symbol = ? ORDER BY id",
    symbol,
  );

export const tokensToday = async (): Promise<number> =>
  (await rows<{ tokens: number }>("SELECT tokens FROM model_budgets"))[0]?.tokens ?? 0;

/** Between tests: nobody remembers a limit, and the breaker is closed. */
export async function forget(...wheres: Env[]): Promise<void> {
  for (const where of wheres) pausesOf(platform(where)).clear();
  const service = "llm:openai-compatible";
  await env.BREAKERS.getByName(service).reset(service, "between tests", "test");
  await env.DB.exec("DELETE FROM model_answers");
  await env.DB.exec("DELETE FROM model_budgets");
}

/** One job, one recommendation, which is by the rules and says why. */
export async function expectFallback(symbol: string, reason: string): Promise<RecommendationBody> {
  const [first, ...others] = await recommendationsOf(symbol);
  expect(others).toEqual([]);
  expect(first).toMatchObject({
    engine: "rules",
    variant: "llm",
    fallback: { from: "llm", reason },
  });
  expect(first?.caveats.at(-1)).toContain("A language model was to answer, but");
  expect(first).not.toHaveProperty("modelId");
  if (first === undefined) throw new Error("no recommendation");
  return first;
}
