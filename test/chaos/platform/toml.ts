/** Content of a TOML file of the kind wrangler reads. */
export type Toml = string | number | boolean | Toml[] | { [key: string]: Toml };
type Table = { [key: string]: Toml };

/**
 * Reads the part of TOML that wrangler.toml is written in: tables, lists of tables, strings,
 * numbers, booleans, lists and inline tables, each value on one line or a list over several.
 * Anything else is an error, not a guess.
 */
export function readToml(text: string): Table {
  const root: Table = {};
  let table = root;
  const lines = text.split("\n");
  for (let at = 0; at < lines.length; at++) {
    const line = stripComment(lines[at] ?? "").trim();
    if (line === "") continue;
    const list = /^\[\[(.+)\]\]$/.exec(line)?.[1];
    const single = /^\[([^[].*)\]$/.exec(line)?.[1];
    if (list !== undefined) table = openList(root, list.split("."));
    else if (single !== undefined) table = openTable(root, single.split("."));
    else {
      const [key, ...rest] = line.split("=");
      let value = rest.join("=").trim();
      while (value.startsWith("[") && !closes(value) && at + 1 < lines.length) {
        at += 1;
        value += ` ${stripComment(lines[at] ?? "").trim()}`;
      }
      if (key === undefined || rest.length === 0)
        throw new Error(`not TOML that is understood here: ${line}`);
      table[unquote(key.trim())] = readValue(value);
    }
  }
  return root;
}

const unquote = (key: string): string => key.replace(/^"(.*)"$/, "$1");

function stripComment(line: string): string {
  let quoted = false;
  for (let at = 0; at < line.length; at++) {
    if (line[at] === '"' && line[at - 1] !== "\\") quoted = !quoted;
    if (line[at] === "#" && !quoted) return line.slice(0, at);
  }
  return line;
}

const closes = (value: string): boolean => splitTop(value.slice(1), "]").length > 1;

function descend(table: Table, key: string): Table {
  const next = table[key];
  if (Array.isArray(next)) {
    const last = next.at(-1);
    if (isTable(last)) return last;
  } else if (isTable(next)) return next;
  const made: Table = {};
  table[key] = made;
  return made;
}

export const isTable = (value: Toml | undefined): value is Table =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function openTable(root: Table, path: readonly string[]): Table {
  return path.reduce((table, key) => descend(table, unquote(key.trim())), root);
}

function openList(root: Table, path: readonly string[]): Table {
  const parent = openTable(root, path.slice(0, -1));
  const key = unquote((path.at(-1) ?? "").trim());
  const made: Table = {};
  const before = parent[key];
  if (Array.isArray(before)) before.push(made);
  else parent[key] = [made];
  return made;
}

function readValue(text: string): Toml {
  if (text.startsWith('"')) return JSON.parse(text) as string;
  if (text.startsWith("'")) return text.slice(1, -1);
  if (text === "true" || text === "false") return text === "true";
  if (text.startsWith("[")) return splitTop(text.slice(1, -1), ",").filter(filled).map(readValue);
  if (text.startsWith("{")) {
    const table: Table = {};
    for (const entry of splitTop(text.slice(1, -1), ",").filter(filled)) {
      const [key, ...rest] = entry.split("=");
      table[unquote((key ?? "").trim())] = readValue(rest.join("=").trim());
    }
    return table;
  }
  const number = Number(text.replaceAll("_", ""));
  if (text === "" || Number.isNaN(number))
    throw new Error(`not a value that is understood here: ${text}`);
  return number;
}

const filled = (text: string): boolean => text !== "";

/** Cuts at a character outside of quotes and brackets. */
function splitTop(text: string, separator: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let quoted = false;
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? "";
    if (char === '"' && text[at - 1] !== "\\") quoted = !quoted;
    if (quoted) continue;
    if (char === separator && depth === 0) {
      parts.push(text.slice(from, at).trim());
      from = at + 1;
    } else if ("[{".includes(char)) depth += 1;
    else if ("]}".includes(char)) depth -= 1;
  }
  parts.push(text.slice(from).trim());
  return parts;
}
