import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import type { LanguageModel } from "ai";
import { createWorkersAI } from "workers-ai-provider";
import type { Provider } from "../domain/recommendation/llm/reply.ts";

/** The binding as the SDK's provider takes it. */
export type WorkersAi = NonNullable<
  Extract<Parameters<typeof createWorkersAI>[0], { binding: unknown }>["binding"]
>;

/** Endpoint and identity for a model's calls. */
export interface ModelEndpoint {
  readonly provider: Provider;
  readonly model: string;
  /** Of the API, version included, as in `https://api.example/v1`; empty for the provider's own. */
  readonly baseUrl: string;
  /** Empty for none. */
  readonly key: string;
  /**
   * True if the endpoint takes a JSON schema for its answer; else the prompt alone asks for JSON.
   */
  readonly structured: boolean;
  /** The binding of Workers AI, where there is one. */
  readonly binding: WorkersAi | null;
}

/**
 * The SDK's model for a place. Throws when Workers AI is wanted without its binding; the
 * configuration sees to that.
 */
export function modelAt(place: ModelEndpoint, fetch: typeof globalThis.fetch): LanguageModel {
  const { provider, model, baseUrl, key } = place;
  switch (provider) {
    case "openai-compatible":
      return createOpenAICompatible({
        name: "llm",
        baseURL: baseUrl,
        ...(key === "" ? {} : { apiKey: key }),
        supportsStructuredOutputs: place.structured,
        fetch,
      })(model);
    case "anthropic":
      return createAnthropic({
        apiKey: key,
        fetch,
        ...(baseUrl === "" ? {} : { baseURL: baseUrl }),
      })(model);
    case "workers-ai":
      if (place.binding === null) throw new Error("Workers AI has no binding here");
      return createWorkersAI({ binding: place.binding })(model);
  }
}
