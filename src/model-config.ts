import * as z from "zod";
import { PROMPT_VERSION, PROMPT_VERSIONS } from "./domain/recommendation/llm/prompt.ts";
import { PROVIDERS } from "./domain/recommendation/llm/reply.ts";
import { RULES_ONLY, type Variant } from "./domain/recommendation/llm/variants.ts";

/*
 * What the environment says of language models and of who recommends what. A part of config.ts.
 *
 * A call must end before the lease of a breaker's probe does (30 s), and a batch of 50 jobs, nine waves of two calls each,
 * within the fifteen minutes of a consumer.
 */

export const MAX_MODEL_SECONDS = 25;

const modelName = z
  .string()
  .max(120)
  .regex(/^[\w@][\w@./:+-]*$/, "letters, digits and @ . / : + -");

const variant = z
  .strictObject({
    name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/, "1 to 32 of a-z 0-9 -"),
    weight: z.number().min(0).max(1_000_000),
    engine: z.enum(["rules", "llm"]),
    model: modelName.optional(),
    promptVersion: z.enum(PROMPT_VERSIONS).optional(),
  })
  .refine(({ engine, model, promptVersion }) => engine === "llm" || !(model ?? promptVersion), {
    message: "rules have no model and no prompt",
  });

type RequestedVariant = z.infer<typeof variant>;

const variants = z
  .array(variant)
  .min(1)
  .max(10)
  .refine(
    (list) => new Set(list.map(({ name }) => name)).size === list.length,
    "names a variant twice",
  )
  .refine((list) => list.some(({ weight }) => weight > 0), "gives nobody any weight");

/** JSON of the engines side by side; empty for one: the model if there is one, else the rules. */
const engines = z.string().transform((text, context): readonly RequestedVariant[] | null => {
  if (text.trim() === "") return null;
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    context.addIssue({ code: "custom", message: "not JSON" });
    return z.NEVER;
  }
  const parsed = variants.safeParse(given);
  if (parsed.success) return parsed.data;
  for (const { path, message } of parsed.error.issues)
    context.addIssue({ code: "custom", message: `${path.join(".")} ${message}` });
  return z.NEVER;
});

const whole = (minimum: number, maximum: number) =>
  z.coerce.number().int().min(minimum).max(maximum);

export const MODEL_VARIABLES = {
  LLM_PROVIDER: z.enum(["off", ...PROVIDERS]),
  /** Of the API, version included. */
  LLM_BASE_URL: z.union([z.literal(""), z.url({ protocol: /^https?$/ })]),
  LLM_MODEL: z.union([z.literal(""), modelName]),
  LLM_API_KEY: z
    .string()
    .regex(/^[\x21-\x7e]{0,512}$/, "at most 512 visible characters")
    .default(""),
  LLM_TIMEOUT_SECONDS: whole(1, MAX_MODEL_SECONDS),
  LLM_MAX_OUTPUT_TOKENS: whole(64, 8_192),
  LLM_TOKENS_PER_DAY: whole(0, 1_000_000_000_000),
  LLM_STRUCTURED_OUTPUT: z.enum(["on", "off"]).transform((word) => word === "on"),
  LLM_AUDIT_RETENTION_DAYS: whole(1, 3_650),
  ENGINES: engines,
};

const modelVariables = z.object(MODEL_VARIABLES);
export type ModelVariables = z.infer<typeof modelVariables>;

/** What is wrong with the variables taken together: a variable's name and why. */
export function modelConfigProblems(
  env: ModelVariables & { readonly ENVIRONMENT: string; readonly AI?: unknown },
): readonly (readonly [string, string])[] {
  const { LLM_PROVIDER: provider, LLM_BASE_URL: url } = env;
  if (provider === "off") return [];
  const unnamed =
    env.ENGINES?.some(({ engine, model }) => engine === "llm" && model === undefined) ?? true;
  const problems: [string, string][] = [];
  if (unnamed && env.LLM_MODEL === "") problems.push(["LLM_MODEL", "say which model to ask"]);
  if (provider === "openai-compatible" && url === "")
    problems.push(["LLM_BASE_URL", "say where it is"]);
  if (url !== "" && new URL(url).username !== "") {
    problems.push(["LLM_BASE_URL", "no credentials in it: the key is LLM_API_KEY"]);
  }
  if (provider === "anthropic" && env.LLM_API_KEY === "")
    problems.push(["LLM_API_KEY", "Anthropic needs one"]);
  if (provider === "workers-ai" && typeof env.AI !== "object") {
    problems.push(["AI", "Workers AI needs its binding: see [ai] in wrangler.toml"]);
  }
  if (env.ENVIRONMENT !== "local" && url.startsWith("http:")) {
    problems.push(["LLM_BASE_URL", "models are asked over https only: a key travels"]);
  }
  return problems;
}

/**
 * Who recommends what. A model that is wished for while none is configured has no provider, and
 * says so each time.
 */
export function variantsOf(
  env: Pick<ModelVariables, "LLM_PROVIDER" | "LLM_MODEL" | "ENGINES">,
): readonly Variant[] {
  const provider = env.LLM_PROVIDER === "off" ? null : env.LLM_PROVIDER;
  const requested: readonly RequestedVariant[] =
    env.ENGINES ?? (provider === null ? [] : [{ name: "llm", weight: 1, engine: "llm" }]);
  if (requested.length === 0) return RULES_ONLY;
  return requested.map(({ name, weight, engine, model, promptVersion }) =>
    engine === "rules"
      ? { name, weight, engine }
      : {
          name,
          weight,
          engine,
          provider,
          model: model ?? env.LLM_MODEL,
          promptVersion: promptVersion ?? PROMPT_VERSION,
        },
  );
}
