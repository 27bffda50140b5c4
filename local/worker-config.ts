/**
 * The Worker's variables and secrets in `wrangler.toml`, read without wrangler, which takes a
 * second to load.
 */
export interface WorkerConfig {
  /** Variables and their default values. */
  readonly vars: Readonly<Record<string, string>>;
  /** Secrets that a deployed Worker cannot do without. */
  readonly secrets: readonly string[];
}

const SECTION = /^\[+([^\]]+)\]+\s*(#.*)?$/;
const ASSIGNMENT = /^([A-Za-z_]\w*)\s*=\s*("(?:[^"\\]|\\.)*"|'[^']*'|\[[^\]]*\])\s*(#.*)?$/;

/**
 * Reads the sections `[vars]` and `[secrets]`, each entry on a line of its own. Throws at a line it
 * cannot read.
 */
export function readWorkerConfig(toml: string): WorkerConfig {
  const vars: Record<string, string> = {};
  let secrets: readonly string[] = [];
  let section = "";
  for (const [index, raw] of toml.split("\n").entries()) {
    const line = raw.trim();
    const heading = SECTION.exec(line);
    if (heading !== null) section = heading[1] ?? "";
    if (heading !== null || line === "" || line.startsWith("#")) continue;
    if (section !== "vars" && section !== "secrets") continue;
    const [, name, value] = ASSIGNMENT.exec(line) ?? [];
    if (name === undefined || value === undefined)
      throw new Error(`line ${index + 1} of wrangler.toml is not NAME = "value" on one line`);
    if (section === "vars") vars[name] = text(value);
    else if (name === "required") secrets = JSON.parse(value) as string[];
  }
  return { vars, secrets };
}

/** A TOML string: in double quotes it has JSON's escapes, in single ones none. */
const text = (value: string): string =>
  value.startsWith("'") ? value.slice(1, -1) : (JSON.parse(value) as string);
