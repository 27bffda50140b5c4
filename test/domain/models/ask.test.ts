import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Prompt } from "../../../src/domain/recommendation/llm/prompt.ts";
import type { ModelReply } from "../../../src/domain/recommendation/llm/reply.ts";
import { askModel, type Repair } from "../../../src/models/ask.ts";
import { MAX_ANSWER_BYTES } from "../../../src/models/bounded-fetch.ts";
import type { ModelEndpoint, WorkersAi } from "../../../src/models/providers.ts";
import { good } from "../recommendation/llm/given.ts";
import { localFetch } from "../sources/vendor-server.ts";
import { anthropic, type ModelSays, type ModelServer, openAi, startModel } from "./model-server.ts";

const KEY = "test-model-key-0815";
const NOW = Date.parse("2030-01-07T12:00:00Z");
const PROMPT: Prompt = {
  system: "Be calm.",
  user: "-----DATA 1-----\n{}\n-----DATA 1-----",
  boundary: "-----DATA 1-----",
};

let server: ModelServer;
beforeAll(async () => {
  server = await startModel();
});
afterAll(() => server.close());
beforeEach(() => {
  server.asked.length = 0;
});

const place = (changes: Partial<ModelEndpoint> = {}): ModelEndpoint => ({
  provider: "openai-compatible",
  model: "tiny-model",
  baseUrl: server.url,
  key: KEY,
  structured: true,
  binding: null,
  ...changes,
});

const ask = (
  says: ModelSays | null,
  changes: Partial<ModelEndpoint> = {},
  repair: Repair | null = null,
): Promise<ModelReply> => {
  server.reply = () => says;
  return askModel(place(changes), PROMPT, repair, {
    fetch: localFetch,
    timeoutMs: 400,
    maxOutputTokens: 500,
    now: NOW,
  });
};

describe.each([
  [
    "openai-compatible",
    openAi,
    { model: "tiny-model-1b", usage: { inputTokens: 1_200, outputTokens: 300 } },
  ],
  [
    "anthropic",
    anthropic,
    { model: "tiny-claude-1", usage: { inputTokens: 1_100, outputTokens: 250 } },
  ],
] as const)("%s", (provider, shape, told) => {
  const by = { provider };

  it("returns a valid answer, with its cost", async () => {
    const reply = await ask({ body: shape(good()) }, by);
    expect(reply).toMatchObject({
      kind: "answered",
      answer: good(),
      problem: null,
      modelId: told.model,
      usage: told.usage,
    });
    expect(server.asked).toHaveLength(1);
  });

  it("is called with key, limit and both messages of a repair", async () => {
    await ask({ body: shape(good()) }, by, { answer: "{}", complaint: "numbers: wrong" });
    const [asked] = server.asked;
    const key =
      provider === "anthropic" ? asked?.headers["x-api-key"] : asked?.headers.authorization;
    expect(key).toBe(provider === "anthropic" ? KEY : `Bearer ${KEY}`);
    expect(asked?.body).toMatchObject({ max_tokens: 500, model: "tiny-model" });
    const text = JSON.stringify(asked?.body);
    for (const piece of ["Be calm.", "DATA 1", "numbers: wrong"]) expect(text).toContain(piece);
    expect(text).not.toContain(KEY);
  });

  it.each<[string, unknown, string]>([
    ["no JSON", "BUY, surely.", "not one JSON object"],
    [
      "JSON with words around it",
      `Here you are: ${JSON.stringify(good())} Enjoy.`,
      "not one JSON object",
    ],
    ["half of its JSON", JSON.stringify(good()).slice(0, 60), "not one JSON object"],
    ["a list", "[]", "answer"],
    ["no text", "", "empty"],
    ["an unknown action", JSON.stringify({ ...good(), action: "SHORT" }), "action"],
    ["numbers as texts", JSON.stringify({ ...good(), confidence: "high" }), "confidence"],
    ["no evidence", JSON.stringify({ ...good(), evidence: undefined }), "evidence"],
  ])(
    "that answers with %s has answered, but without a usable result",
    async (_, content, problem) => {
      const reply = await ask({ body: shape(content) }, by);
      expect(reply).toMatchObject({ kind: "answered", answer: null });
      if (reply.kind === "answered") expect(reply.problem).toContain(problem);
    },
  );

  it("whose answer was cut off or withheld has no usable result, and reports which", async () => {
    const half = JSON.stringify(good()).slice(0, 80);
    const stop = (openAiReason: string, anthropicReason: string) =>
      provider === "anthropic" ? { stop_reason: anthropicReason } : { finish_reason: openAiReason };
    const cut = await ask({ body: shape(half, stop("length", "max_tokens")) }, by);
    expect(cut).toMatchObject({ kind: "answered", answer: null, finishReason: "length" });
    if (cut.kind === "answered") expect(cut.problem).toContain("cut off");
    const refused = await ask(
      { body: shape("I cannot help with that.", stop("content_filter", "refusal")) },
      by,
    );
    expect(refused).toMatchObject({
      kind: "answered",
      answer: null,
      finishReason: "content-filter",
    });
  });

  it.each<[string, ModelSays | null, string]>([
    ["400", { status: 400, body: { error: { message: "bad" } } }, "rejected"],
    ["401", { status: 401, body: { error: { message: `Incorrect API key: ${KEY}` } } }, "rejected"],
    ["403", { status: 403, body: "forbidden" }, "rejected"],
    ["404", { status: 404, body: { error: { message: "no such model" } } }, "rejected"],
    ["408", { status: 408 }, "timeout"],
    ["429", { status: 429, body: { error: { message: "slow down" } } }, "rateLimited"],
    ["500", { status: 500, body: "<html>" }, "unavailable"],
    ["503", { status: 503 }, "unavailable"],
    [
      "529",
      { status: 529, body: { type: "error", error: { type: "overloaded_error", message: "x" } } },
      "unavailable",
    ],
    ["a redirect", { status: 307, headers: { location: "http://127.0.0.1:9/steal" } }, "rejected"],
    [
      "200 and a page",
      { body: "<html>moved</html>", headers: { "content-type": "text/html" } },
      "malformed",
    ],
    ["200 and nothing of an answer", { body: { hello: "world" } }, "malformed"],
    ["200 and an empty body", { body: "" }, "malformed"],
    ["a body without end", { body: `"${"x".repeat(MAX_ANSWER_BYTES)}"` }, "malformed"],
    ["a broken-off body", { body: openAi(good()), after: "cut" }, "unavailable"],
    ["half a body and then nothing", { body: openAi(good()), after: "hang" }, "timeout"],
    ["nothing", null, "timeout"],
    ["too late", { body: openAi(good()), afterMs: 700 }, "timeout"],
  ])("that answers %s has failed, without a second call or a secret", async (_, says, reason) => {
    const reply = await ask(says, by);
    expect(reply).toMatchObject({ kind: "failed", reason });
    expect(JSON.stringify(reply)).not.toContain(KEY);
    expect(server.asked).toHaveLength(1);
  });

  it.each<[string, string, number | null]>([
    ["seconds", "17", 17],
    ["a date", new Date(NOW + 90_000).toUTCString(), 90],
    ["a date gone by", new Date(NOW - 90_000).toUTCString(), 0],
    ["a word", "soon", null],
    ["for ever", "999999", 86_400],
  ])("returns the wait: %s", async (_, header, seconds) => {
    const reply = await ask({ status: 429, headers: { "retry-after": header } }, by);
    expect(reply).toMatchObject({
      kind: "failed",
      reason: "rateLimited",
      retryAfterSeconds: seconds,
    });
  });

  it("that does not exist is unavailable", async () => {
    expect(await ask(null, { ...by, baseUrl: "http://127.0.0.1:9/v1" })).toMatchObject({
      kind: "failed",
      reason: "unavailable",
    });
  });
});

describe("the form of the answer", () => {
  it("is called with a schema where the endpoint takes one, and for plain JSON where not", async () => {
    await ask({ body: openAi(good()) });
    expect(server.asked[0]?.body["response_format"]).toMatchObject({ type: "json_schema" });
    await ask({ body: openAi(good()) }, { structured: false });
    expect(server.asked[1]?.body["response_format"]).toMatchObject({ type: "json_object" });
  });

  it("is the same from Workers AI, called through its binding", async () => {
    const calls: unknown[][] = [];
    const binding = {
      run: async (...call: unknown[]) => {
        calls.push(call);
        return {
          response: JSON.stringify(good()),
          usage: { prompt_tokens: 9, completion_tokens: 4 },
        };
      },
    } as unknown as WorkersAi;
    const reply = await ask(null, {
      provider: "workers-ai",
      model: "@cf/meta/llama-3.1-8b-instruct",
      binding,
    });
    expect(reply).toMatchObject({
      kind: "answered",
      answer: good(),
      usage: { inputTokens: 9, outputTokens: 4 },
    });
    expect(calls).toHaveLength(1);
    expect(calls[0]?.[0]).toBe("@cf/meta/llama-3.1-8b-instruct");
  });

  it.each<[string, () => Promise<never>, string]>([
    [
      "throws",
      () => Promise.reject(new Error("3040: Capacity temporarily exceeded")),
      "unavailable",
    ],
    ["never answers", () => new Promise<never>(() => undefined), "timeout"],
  ])("is unavailable when the binding %s", async (_, run, kind) => {
    const reply = await ask(null, {
      provider: "workers-ai",
      model: "@cf/x/y",
      binding: { run } as unknown as WorkersAi,
    });
    expect(reply.kind).toBe("failed");
    if (kind === "timeout") expect(reply).toMatchObject({ reason: "timeout" });
  });
});
