import { resolve } from "node:path";
import { environmentProblems } from "../src/config.ts";
import type { WorkerConfig } from "./worker-config.ts";

/** `npm start` cannot begin: a sentence that names the variable and the fix. */
export class Refusal extends Error {
  override readonly name = "Refusal";
}

/** Settings of this start from the environment. */
export interface Settings {
  readonly port: number;
  readonly stateDir: string;
  readonly demo: boolean;
  /** Real milliseconds between two cron triggers. */
  readonly tickMs: number;
  /** Variables of the Worker; the starter adds the ones that only it knows. */
  readonly vars: Readonly<Record<string, string>>;
}

/** Variables of the Worker that the starter sets. */
const STARTERS_OWN = ["ENVIRONMENT", "CODE_VERSION", "PUBLIC_ORIGIN", "DEMO", "DEMO_SOURCE_URL"];

/** Variables that the starter alone reads. */
export const STARTERS_VARIABLES = ["PORT", "STATE_DIR", "DEMO", "TICK_SECONDS"];

/**
 * With the replay a tick a second moves the market; without it the clock is the real one, and a
 * tick only finds due work.
 */
const REPLAY_TICK_SECONDS = 1;
const CRON_TICK_SECONDS = 10;
const MAX_TICK_SECONDS = 3_600;

/** Locally work that a restart has interrupted is retried sooner than after two minutes. */
const SWEEP_AFTER_SECONDS = "10";

type Environment = Readonly<Record<string, string | undefined>>;

/** An empty variable counts as unset. */
export const given = (env: Environment, name: string): string | undefined => env[name] || undefined;

/** Reads the environment of `npm start`. Throws a `Refusal`. */
export function readSettings(env: Environment, config: WorkerConfig, root: string): Settings {
  const demo = given(env, "DEMO") ?? "on";
  if (demo !== "on" && demo !== "off") throw new Refusal(`DEMO=${demo} is neither on nor off`);
  const tickSeconds = given(env, "TICK_SECONDS");
  const names = Object.keys(config.vars).filter((name) => !STARTERS_OWN.includes(name));
  const chosen = names.flatMap((name) => {
    const value = given(env, name);
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    port: portFrom(given(env, "PORT") ?? "8787"),
    stateDir: resolve(root, given(env, "STATE_DIR") ?? ".state"),
    demo: demo === "on",
    tickMs:
      1_000 *
      ticksFrom(tickSeconds ?? String(demo === "on" ? REPLAY_TICK_SECONDS : CRON_TICK_SECONDS)),
    vars: {
      ...config.vars,
      SWEEP_AFTER_SECONDS,
      ...Object.fromEntries(chosen),
      ENVIRONMENT: "local",
      DEMO: demo,
    },
  };
}

function portFrom(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new Refusal(`PORT=${text} is not a port number`);
}

function ticksFrom(text: string): number {
  const seconds = Number(text);
  if (seconds >= 0.1 && seconds <= MAX_TICK_SECONDS) return seconds;
  throw new Refusal(
    `TICK_SECONDS=${text} is not a number of seconds from 0.1 to ${MAX_TICK_SECONDS}`,
  );
}

/**
 * Checks everything the Worker is to be given by the Worker's own rules (src/config.ts), before
 * anything is started. Throws one `Refusal` that names every variable at fault, with its value
 * unless it is a secret.
 */
export function requireGood(
  vars: Readonly<Record<string, string>>,
  secrets: Readonly<Record<string, string>>,
): void {
  const problems = environmentProblems({ ...vars, ...secrets });
  if (problems.length === 0) return;
  const faults = problems.map(({ variable, message }) => {
    // That provider needs the binding of Workers AI; the user's variable is the provider.
    const name = variable === "AI" ? "LLM_PROVIDER" : variable;
    return `${name in vars ? `${name}=${vars[name]}` : name}: ${message.replaceAll("\n", " ")}`;
  });
  throw new Refusal(`${faults.join("; ")} (see docs/settings.md)`);
}
