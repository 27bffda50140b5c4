import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

const src = join(import.meta.dirname, "../../../src");

/** Where accepted work is kept, read and carried on. */
const FOLDERS = [
  "records",
  "read-model",
  "wiring",
  "schedule",
  "queues",
  "durable-objects",
] as const;

/**
 * The names of bounds on counts, here and in every other file. Bounds on time end with their unit.
 */
const BOUND_NAME =
  /^MAX_(?!(?:.*_)?(?:MS|SECONDS)$)[A-Z_]+$|^(?:AT_ONCE|PAGE)$|_(?:AT_ONCE|PER_PAGE)$/;
const LIMIT = /\bLIMIT (?:\?\d*|\d+|\$\{)/;

/**
 * Every bound of these folders as `<file> <name>`: constants by their names, `LIMIT`s by the
 * function around them.
 */
export const limitsInSource = (): string[] =>
  FOLDERS.flatMap((folder) => {
    const files = readdirSync(join(src, folder), { recursive: true, encoding: "utf8" });
    return files
      .filter((name) => name.endsWith(".ts"))
      .sort()
      .flatMap((name) =>
        limitsIn(`${folder}/${name}`, readFileSync(join(src, folder, name), "utf8")),
      );
  });

export const limitsIn = (file: string, text: string): string[] => {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found = new Set<string>();
  const walk = (node: ts.Node, around: string): void => {
    const name = nameOf(node, source) ?? around;
    if (ts.isVariableDeclaration(node) && BOUND_NAME.test(node.name.getText(source))) {
      found.add(`${file} ${node.name.getText(source)}`);
    }
    const isText = ts.isStringLiteralLike(node) || ts.isTemplateExpression(node);
    if (isText && LIMIT.test(node.getText(source))) found.add(`${file} ${name}()`);
    ts.forEachChild(node, (child) => walk(child, name));
  };
  walk(source, "the file");
  return [...found];
};

/** Name of a function, method or constant of the file itself; null for anything inside one. */
const nameOf = (node: ts.Node, source: ts.SourceFile): string | null => {
  if (ts.isMethodDeclaration(node) || ts.isFunctionDeclaration(node))
    return node.name?.getText(source) ?? null;
  const isTopLevel = ts.isVariableDeclaration(node) && node.parent.parent.parent === source;
  return isTopLevel ? node.name.getText(source) : null;
};
