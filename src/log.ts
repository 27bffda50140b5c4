import type { Log } from "./domain/trace/log-context.ts";

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

const METHOD = {
  debug: "debug",
  info: "log",
  warn: "warn",
  error: "error",
} as const satisfies Readonly<Record<LogLevel, keyof Console>>;

/**
 * Longer texts are cut: a stack or an upstream's error must not make a line that no log store
 * takes.
 */
const MAX_TEXT_LENGTH = 2_000;

/** Fields that hold what no log may hold, however they came into an entry. */
const PRIVATE_FIELD =
  /^(authorization|cookie|set-cookie|.*api[-_]?key|.*secret|.*password|.*token|.*signature|body|payload|headers)$/i;
/** Texts that are keys by their looks: webhook secrets, our API keys, bearer tokens. */
const PRIVATE_TEXT = /whsec_[A-Za-z0-9+/=_-]+|inv_[a-z0-9]+_[A-Za-z0-9_-]{8,}|\bBearer\s+[^\s"]+/gi;
const REDACTED = "[redacted]";

/** A text without what is a key by its looks. */
export const withoutSecrets = (text: string): string => text.replace(PRIVATE_TEXT, REDACTED);

/**
 * One line of JSON for everything: level, message and time first. Unfiltered; for what must be
 * heard in any case.
 */
export const log: Log = (entry) => write(entry, []);

/**
 * A log that leaves out lines below a level. `secrets` are texts known to be secret, which are
 * blotted out wherever they appear; keys and bodies are in any case.
 */
export function logFrom(min: LogLevel, secrets: readonly string[] = []): Log {
  const from = LOG_LEVELS.indexOf(min);
  return (entry) => {
    if (LOG_LEVELS.indexOf(levelOf(entry)) >= from) write(entry, secrets);
  };
}

const levelOf = (entry: Readonly<Record<string, unknown>>): LogLevel =>
  LOG_LEVELS.find((level) => level === entry["level"]) ?? "info";

/** Never throws: a line that cannot be written says so and nothing else. */
function write(entry: Readonly<Record<string, unknown>>, secrets: readonly string[]): void {
  const level = levelOf(entry);
  const { message = "", ...rest } = entry;
  const head = { level, message, time: new Date().toISOString() };
  try {
    console[METHOD[level]](
      JSON.stringify({ ...head, ...rest, level }, (key, value) => shown(key, value, secrets)),
    );
  } catch {
    console.error(
      JSON.stringify({ ...head, level: "error", message: "a log line could not be written" }),
    );
  }
}

function shown(key: string, value: unknown, secrets: readonly string[]): unknown {
  if (value !== null && value !== undefined && PRIVATE_FIELD.test(key)) return REDACTED;
  if (typeof value === "bigint") return String(value);
  if (value instanceof Error) return shown(key, value.message, secrets);
  if (typeof value !== "string") return value;
  const redacted = secrets.reduce((text, secret) => text.replaceAll(secret, REDACTED), value);
  return withoutSecrets(redacted).slice(0, MAX_TEXT_LENGTH);
}
