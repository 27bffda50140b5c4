import * as z from "zod";
import {
  RETRIED_KINDS,
  RETRY_POLICIES,
  type RetryPolicies,
  type RetryPolicy,
} from "./domain/job/retry-policy.ts";
import { LOG_LEVELS } from "./log.ts";

const onOff = z.enum(["on", "off"]).transform((word) => word === "on");

const seconds = z.number().int().min(1).max(86_400);
const retryPolicy: z.ZodType<RetryPolicy> = z.union([
  z.strictObject({
    type: z.literal("backoff"),
    attempts: z.number().int().min(1).max(50),
    baseSeconds: seconds,
    capSeconds: seconds,
  }),
  z.strictObject({ type: z.literal("table"), waitSeconds: z.array(seconds).min(1).max(50) }),
]);

/** JSON of the kinds whose policy differs from the built-in one; empty for none. */
const retryPolicies = z.string().transform((text, context): RetryPolicies => {
  let given: unknown;
  try {
    given = text.trim() === "" ? {} : JSON.parse(text);
  } catch {
    context.addIssue({ code: "custom", message: "not JSON" });
    return z.NEVER;
  }
  const parsed = z.partialRecord(z.enum(RETRIED_KINDS), retryPolicy).safeParse(given);
  if (parsed.success) return { ...RETRY_POLICIES, ...parsed.data };
  for (const { path, message } of parsed.error.issues) {
    context.addIssue({ code: "custom", message: `${path.join(".")} ${message}` });
  }
  return z.NEVER;
});

const schema = z
  .object({
    ENVIRONMENT: z.enum(["local", "production"]),
    CODE_VERSION: z.string().min(1),
    PUBLIC_ORIGIN: z.url().transform((url) => url.replace(/\/+$/, "")),
    DEMO: onOff,
    DEMO_SOURCE_URL: z.string(),
    REPLAY_SPEED: z.coerce.number().min(1).max(1_000_000),
    WEBHOOK_ALLOW_LOOPBACK: onOff,
    WEBHOOK_RETRY_SECONDS: z
      .string()
      .transform((text) => text.split(",").map(Number))
      .pipe(z.array(z.number().int().min(1).max(86_400)).min(1).max(15)),
    RETRY_POLICIES: retryPolicies,
    LOG_LEVEL: z.enum(LOG_LEVELS),
    SWEEP_AFTER_SECONDS: z.coerce.number().int().min(1).max(86_400),
    DEAD_LETTER_RETENTION_DAYS: z.coerce.number().int().min(1).max(3_650),
    RECONCILE_EVERY_HOURS: z.coerce.number().int().min(0).max(8_760),
    RECONCILE_DEEP_STREAMS: z.coerce.number().int().min(0).max(1_000),
    ADMIN_API_KEY: z.string().min(20, "at least 20 characters").max(256),
  })
  .refine((env) => !(env.DEMO && env.ENVIRONMENT !== "local"), {
    message: "the demo source is refused outside ENVIRONMENT=local",
    path: ["DEMO"],
  })
  .refine((env) => !(env.WEBHOOK_ALLOW_LOOPBACK && env.ENVIRONMENT !== "local"), {
    message: "loopback webhooks are refused outside ENVIRONMENT=local",
    path: ["WEBHOOK_ALLOW_LOOPBACK"],
  });

export type Config = z.infer<typeof schema>;

/** The environment is wrong: one error that names every variable at fault. */
export class BadEnvironment extends Error {
  override readonly name = "BadEnvironment";
  readonly code = "bad_environment";
}

/** Reads vars and secrets once per isolate and environment object. */
export function readConfig(env: Env): Config {
  const known = parsed.get(env);
  if (known !== undefined) return known;
  const result = schema.safeParse(env);
  if (!result.success) {
    const faults = result.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
    throw new BadEnvironment(faults.join("; "));
  }
  parsed.set(env, result.data);
  return result.data;
}

const parsed = new WeakMap<Env, Config>();
