/**
 * `npm run measure`: what can be counted of the house, so that before and after can be compared.
 * Reads src and test.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import ts from "typescript";
import { DIALECT } from "./dialect.ts";

const root = join(import.meta.dirname, "..");

/**
 * How high each room lies. An import may go down or stay level; `wiring` binds all and `worker.ts`
 * starts it.
 */
const LEVELS: Readonly<Record<string, number>> = {
  domain: 0,
  "log.ts": 1,
  "timeout.ts": 1,
  "reader.ts": 1,
  "model-config.ts": 1,
  sealing: 1,
  "config.ts": 2,
  records: 2,
  "read-model": 2,
  sources: 3,
  models: 3,
  delivery: 3,
  "durable-objects": 3,
  queues: 3,
  schedule: 3,
  api: 4,
  wiring: 5,
  "worker.ts": 6,
};
const MAX_FUNCTION = 70;
const TEST_RATIO = 1.3;

interface Source {
  /** From the repository's root. */
  readonly path: string;
  readonly text: string;
  readonly lines: number;
  readonly tree: ts.SourceFile;
}

function read(folder: string): Source[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts"))
    .map((name) => {
      const path = join(folder, name);
      const text = readFileSync(join(root, path), "utf8");
      const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
      return { path, text, lines: text.split("\n").length - 1, tree };
    });
}

const sum = (values: readonly number[]): number =>
  values.reduce((total, value) => total + value, 0);
const at = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[
    Math.min(values.length - 1, Math.floor(values.length * share))
  ] ?? 0;

/**
 * Functions longer than the limit. A suite's `describe` counts as what it is: a list of functions.
 */
function longFunctions({ path, tree }: Source): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && "body" in node && node.body !== undefined) {
      const line = (position: number) => tree.getLineAndCharacterOfPosition(position).line + 1;
      const from = line(node.getStart());
      const lines = line(node.getEnd()) - from + 1;
      const call = ts.isCallExpression(node.parent) ? node.parent.expression.getText() : "";
      if (lines > MAX_FUNCTION && !call.startsWith("describe"))
        found.push(`${path}:${from} ${lines} lines`);
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return found;
}

/** The files that a file imports, types included. */
function importsOf({ path, text }: Source): string[] {
  return ts
    .preProcessFile(text)
    .importedFiles.map(({ fileName }) => fileName)
    .filter((name) => name.startsWith("."))
    .map((name) => relative(root, join(root, dirname(path), name)))
    .filter((name) => existsSync(join(root, name)));
}

/** Groups of files that reach each other (Tarjan's strongly connected components). */
function circles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const seen = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const found: string[][] = [];
  const visit = (file: string): number => {
    const own = seen.size;
    let low = own;
    seen.set(file, own);
    stack.push(file);
    for (const next of graph.get(file) ?? []) {
      if (!seen.has(next)) low = Math.min(low, visit(next));
      else if (stack.includes(next)) low = Math.min(low, lowest.get(next) ?? seen.get(next) ?? low);
    }
    lowest.set(file, low);
    if (low === own) {
      const circle = stack.splice(stack.indexOf(file));
      if (circle.length > 1) found.push(circle);
    }
    return low;
  };
  for (const file of graph.keys()) if (!seen.has(file)) visit(file);
  return found;
}

const roomOf = (path: string): string => path.split("/")[1] ?? "";

function arrows(graph: ReadonlyMap<string, readonly string[]>): { all: string[]; up: string[] } {
  const pairs = [...graph].flatMap(([file, targets]) =>
    targets
      .map((target) => [roomOf(file), roomOf(target)] as const)
      .filter(([from, to]) => from !== to),
  );
  const unknown = pairs.flat().filter((room) => !(room in LEVELS));
  if (unknown.length > 0)
    throw new Error(`local/measure.ts gives no level to ${[...new Set(unknown)].join(", ")}`);
  const named = ([from, to]: readonly [string, string]) => `${from} → ${to}`;
  return {
    all: [...new Set(pairs.map(named))],
    up: [
      ...new Set(pairs.filter(([from, to]) => (LEVELS[to] ?? 0) > (LEVELS[from] ?? 0)).map(named)),
    ],
  };
}

const src = read("src");
const test = read("test");
const graph = new Map(src.map((file) => [file.path, importsOf(file)]));
const list = (name: string, found: readonly string[]): void =>
  console.log([`${name}: ${found.length}`, ...found].join("\n  "));

for (const [name, files] of [
  ["src", src],
  ["test", test],
] as const) {
  const lengths = files.map(({ lines }) => lines);
  console.log(
    `${name}: ${files.length} files, ${sum(lengths)} lines, median ${at(lengths, 0.5)}, 95th percentile ${at(lengths, 0.95)}, longest ${Math.max(...lengths)}`,
  );
}
const ratio = sum(test.map(({ lines }) => lines)) / sum(src.map(({ lines }) => lines));
console.log(`test lines for each line of source: ${ratio.toFixed(2)} (${TEST_RATIO} wanted)`);
list(`functions over ${MAX_FUNCTION} lines`, [...src, ...test].flatMap(longFunctions));
list(
  "import circles, types included",
  circles(graph).map((circle) => circle.toSorted().join(", ")),
);
const { all, up } = arrows(graph);
console.log(`arrows between rooms: ${all.length}`);
list("arrows up", up);

const words = DIALECT.map(([word, found]) => {
  const hits = (files: readonly Source[]) =>
    files.map(({ text }) => [...text.matchAll(found)].length);
  const [own, tests] = [hits(src), hits(test)];
  const inFiles = (counts: readonly number[]) => counts.filter((count) => count > 0).length;
  return { word, hits: sum(own) + sum(tests), files: `${inFiles(own)} / ${inFiles(tests)}` };
});
console.log(
  `words of our own left: ${sum(words.map(({ hits }) => hits))} (word: hits, files in src / test)`,
);
for (const { word, hits, files } of words)
  if (hits > 0) console.log(`  ${word}: ${hits}, ${files}`);
