import * as z from "zod";
import {
  ALERT_RULE_IDS,
  ALERT_RULES,
  type AlertRule,
  ruleProblem,
  SEVERITIES,
  withChanges,
} from "./domain/alert/rules.ts";
import { policiesWith, RETRIED_WORDS, type RetryPolicies } from "./domain/job/retry-policies.ts";
import type { RetryPolicy } from "./domain/job/retry-policy.ts";
import { ASSET_TYPES } from "./domain/market/asset-type.ts";
import {
  SOURCE_ORDER,
  type SourceOrder,
  VENDOR_NAMES,
  type VendorName,
} from "./domain/market/vendor.ts";
import { LOG_LEVELS } from "./log.ts";
import { MODEL_VARIABLES, modelConfigProblems } from "./model-config.ts";
import { type Keyring, readKeyring } from "./sealing/keyring.ts";

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
  const given = parsedJson(text, context);
  if (given === NOT_JSON) return z.NEVER;
  const parsed = z.partialRecord(z.enum(RETRIED_WORDS), retryPolicy).safeParse(given);
  return parsed.success ? policiesWith(parsed.data) : addIssues(parsed.error, context);
});

const NOT_JSON = Symbol("not JSON");

function parsedJson(text: string, context: z.RefinementCtx): unknown {
  try {
    return text.trim() === "" ? {} : JSON.parse(text);
  } catch {
    context.addIssue({ code: "custom", message: "not JSON" });
    return NOT_JSON;
  }
}

function addIssues(error: z.ZodError, context: z.RefinementCtx): never {
  for (const { path, message } of error.issues) {
    context.addIssue({ code: "custom", message: `${path.join(".")} ${message}` });
  }
  return z.NEVER;
}

const alertThresholds = z.strictObject({
  raise: z.number().optional(),
  clear: z.number().optional(),
  forSeconds: z.number().int().min(0).max(86_400).optional(),
  severity: z.enum(SEVERITIES).optional(),
  off: z.boolean().optional(),
});

/** JSON of the rules that differ from the built-in ones; empty for none. */
const alertRules = z.string().transform((text, context): readonly AlertRule[] => {
  const given = parsedJson(text, context);
  if (given === NOT_JSON) return z.NEVER;
  const parsed = z.partialRecord(z.enum(ALERT_RULE_IDS), alertThresholds).safeParse(given);
  if (!parsed.success) return addIssues(parsed.error, context);
  const rules = withChanges(ALERT_RULES, parsed.data);
  const faults = rules.flatMap(ruleProblem);
  for (const message of faults) context.addIssue({ code: "custom", message });
  return faults.length > 0 ? z.NEVER : rules;
});

function keyring(text: string, context: z.RefinementCtx): Keyring {
  const keys = readKeyring(text);
  if (typeof keys !== "string") return keys;
  context.addIssue({ code: "custom", message: keys });
  return z.NEVER;
}

const vendorList = z
  .array(z.enum(VENDOR_NAMES))
  .max(VENDOR_NAMES.length)
  .refine((names) => new Set(names).size === names.length, "names a source twice");

/**
 * JSON of the types of assets whose order of sources differs from the built-in one; empty for none.
 */
const sourceFallbacks = z.string().transform((text, context): SourceOrder => {
  const given = parsedJson(text, context);
  if (given === NOT_JSON) return z.NEVER;
  const parsed = z.partialRecord(z.enum(ASSET_TYPES), vendorList).safeParse(given);
  return parsed.success ? { ...SOURCE_ORDER, ...parsed.data } : addIssues(parsed.error, context);
});

/** An hour: a longer gap would outlast the wait that one request is given (see pace.ts). */
const MAX_GAP_MS = 3_600_000;

/**
 * JSON of the vendors whose least gap between two requests differs from their own, in milliseconds;
 * empty for none.
 */
const sourceGaps = z
  .string()
  .default("")
  .transform((text, context): Readonly<Partial<Record<VendorName, number>>> => {
    const given = parsedJson(text, context);
    if (given === NOT_JSON) return z.NEVER;
    const gap = z.number().min(0).max(MAX_GAP_MS);
    const parsed = z.partialRecord(z.enum(VENDOR_NAMES), gap).safeParse(given);
    return parsed.success ? parsed.data : addIssues(parsed.error, context);
  });

const VENDOR_URLS = [
  "YAHOO_URL",
  "COINBASE_URL",
  "KRAKEN_URL",
  "FRANKFURTER_URL",
  "TWELVE_DATA_URL",
  "TIINGO_URL",
] as const;
const vendorUrl = z.url({ protocol: /^https?$/ });
const vendorKey = z
  .string()
  .regex(/^[\w.~+/=-]{0,256}$/, "at most 256 letters, digits and . _ ~ + / = -")
  .default("");

const schema = z
  .object({
    ENVIRONMENT: z.enum(["local", "production"]),
    CODE_VERSION: z.string().min(1),
    PUBLIC_ORIGIN: z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/+$/, "")),
    DEMO: onOff,
    DEMO_SOURCE_URL: z.string(),
    /**
     * `auto` asks vendors when deployed, and nobody outside this machine under `npm start` and in
     * tests.
     */
    VENDOR_SOURCES: z.enum(["auto", "on", "off"]),
    SOURCE_FALLBACKS: sourceFallbacks,
    SOURCE_GAP_MS: sourceGaps,
    YAHOO_URL: vendorUrl,
    COINBASE_URL: vendorUrl,
    KRAKEN_URL: vendorUrl,
    FRANKFURTER_URL: vendorUrl,
    TWELVE_DATA_URL: vendorUrl,
    TIINGO_URL: vendorUrl,
    TWELVE_DATA_API_KEY: vendorKey,
    TIINGO_API_KEY: vendorKey,
    REPLAY_SPEED: z.coerce.number().min(1).max(1_000_000),
    WEBHOOK_ALLOW_LOOPBACK: onOff,
    ENDPOINT_DNS_CHECK: z.union([z.enum(["auto", "off"]), z.url({ protocol: /^https?$/ })]),
    WEBHOOK_RETRY_SECONDS: z
      .string()
      .transform((text) => text.split(",").map(Number))
      .pipe(z.array(z.number().int().min(1).max(86_400)).min(1).max(15)),
    RETRY_POLICIES: retryPolicies,
    LOG_LEVEL: z.enum(LOG_LEVELS),
    ALERT_RULES: alertRules,
    ALERT_WEBHOOK_URL: z.union([z.literal(""), z.url({ protocol: /^https?$/ })]),
    ALERT_WEBHOOK_SECRET: z
      .string()
      .regex(
        /^whsec_[A-Za-z0-9+/]{20,}={0,2}$/,
        "whsec_ and base64, as Standard Webhooks writes secrets",
      )
      .optional(),
    SWEEP_AFTER_SECONDS: z.coerce.number().int().min(1).max(86_400),
    DEAD_LETTER_RETENTION_DAYS: z.coerce.number().int().min(1).max(3_650),
    RECONCILE_EVERY_HOURS: z.coerce.number().int().min(0).max(8_760),
    RECONCILE_DEEP_STREAMS: z.coerce.number().int().min(0).max(1_000),
    ADMIN_API_KEY: z.string().min(20, "at least 20 characters").max(256),
    ENCRYPTION_KEY: z
      .string(
        "set this secret: <key id>:<base64 of 32 bytes>, as in k1:… of `openssl rand -base64 32`",
      )
      .transform(keyring),
    /** Only looked for; whoever needs the binding takes it from the environment itself. */
    AI: z.unknown().optional(),
    ...MODEL_VARIABLES,
  })
  .refine((env) => !(env.DEMO && env.ENVIRONMENT !== "local"), {
    message: "the demo source is refused outside ENVIRONMENT=local",
    path: ["DEMO"],
  })
  .refine((env) => !(env.WEBHOOK_ALLOW_LOOPBACK && env.ENVIRONMENT !== "local"), {
    message: "loopback webhooks are refused outside ENVIRONMENT=local",
    path: ["WEBHOOK_ALLOW_LOOPBACK"],
  })
  .refine((env) => env.ENVIRONMENT === "local" || !env.ENDPOINT_DNS_CHECK.startsWith("http:"), {
    message: "a resolver is asked over https only",
    path: ["ENDPOINT_DNS_CHECK"],
  })
  .refine(
    (env) => env.ENVIRONMENT === "local" || VENDOR_URLS.every((name) => /^https:/.test(env[name])),
    {
      message: "vendors are asked over https only: keys and prices travel",
      path: ["*_URL"],
    },
  )
  .refine((env) => env.ENVIRONMENT === "local" || !/^http:/i.test(env.ALERT_WEBHOOK_URL), {
    message: "alerts are posted over https only: what is wrong here is nobody else's to read",
    path: ["ALERT_WEBHOOK_URL"],
  })
  .refine((env) => env.ALERT_WEBHOOK_URL === "" || env.ALERT_WEBHOOK_SECRET !== undefined, {
    message: "alerts are signed: set this secret, or no ALERT_WEBHOOK_URL",
    path: ["ALERT_WEBHOOK_SECRET"],
  })
  .superRefine((env, context) => {
    for (const [name, message] of modelConfigProblems(env))
      context.addIssue({ code: "custom", message, path: [name] });
  });

export type Config = z.infer<typeof schema>;

/** The environment is wrong: one error that names every variable at fault. */
class BadEnvironment extends Error {
  override readonly name = "BadEnvironment";
  readonly code = "bad_environment";
}

export interface EnvironmentProblem {
  /** The variable at fault; "" when they are at fault together. */
  readonly variable: string;
  readonly message: string;
}

/**
 * What is wrong with an environment, variable by variable; empty when nothing is. No message holds
 * a secret.
 */
export function environmentProblems(env: object): readonly EnvironmentProblem[] {
  return problemsOf(schema.safeParse(env).error);
}

const problemsOf = (error: z.ZodError | undefined): EnvironmentProblem[] =>
  (error?.issues ?? []).map(({ path, message }) => ({ variable: path.join("."), message }));

/** Reads vars and secrets once per isolate and environment object. */
export function readConfig(env: object): Config {
  const known = parsed.get(env);
  if (known !== undefined) return known;
  const result = schema.safeParse(env);
  if (!result.success) {
    const faults = problemsOf(result.error).map(
      ({ variable, message }) => `${variable}: ${message}`,
    );
    throw new BadEnvironment(faults.join("; "));
  }
  parsed.set(env, result.data);
  return result.data;
}

const parsed = new WeakMap<object, Config>();
