import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

const src = join(import.meta.dirname, "../../../src");

/** A regular expression in the code, as it is written. */
export interface FoundPattern {
  readonly file: string;
  readonly written: string;
  /** Null for one that is built at run time, which the test has to build itself. */
  readonly pattern: RegExp | null;
}

/** Every regular expression in src, literals and `new RegExp` alike. */
export const patternsInSource = (): FoundPattern[] => {
  const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".ts"),
  );
  return files.sort().flatMap((file) => patternsIn(file, readFileSync(join(src, file), "utf8")));
};

export const patternsIn = (file: string, text: string): FoundPattern[] => {
  const found: FoundPattern[] = [];
  const walk = (node: ts.Node): void => {
    if (ts.isRegularExpressionLiteral(node)) {
      const end = node.text.lastIndexOf("/");
      const pattern = new RegExp(node.text.slice(1, end), node.text.slice(end + 1));
      found.push({ file, written: node.text, pattern });
    }
    if (ts.isNewExpression(node) && node.expression.getText(source) === "RegExp") {
      found.push({
        file,
        written: node.getText(source).replace(/\s+/g, " ").slice(0, 60),
        pattern: null,
      });
    }
    ts.forEachChild(node, walk);
  };
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  walk(source);
  return found;
};
