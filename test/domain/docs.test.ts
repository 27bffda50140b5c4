import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const read = (page: string): string => readFileSync(join(root, page), "utf8");
const pages = [
  ...readdirSync(root),
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" }).map(
    (name) => `docs/${name}`,
  ),
].filter((name) => name.endsWith(".md"));

/** The part of a page outside code blocks. */
const prose = (text: string): string => text.replaceAll(/^ *```[\s\S]*?^ *```$/gm, "");

/** Shell blocks: those without a language. Drawings are left out by their box characters. */
const shellBlocks = (text: string): string[] =>
  [...text.matchAll(/^( *)```(\w*)\n([\s\S]*?)^\1```$/gm)].flatMap(([, , language, body = ""]) =>
    language === "" && !/[─│]/.test(body) ? [body] : [],
  );

/** The anchor that GitHub gives a heading. */
const anchor = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");

const anchorsOf = (text: string): string[] =>
  [...prose(text).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => anchor(heading));

/** Links of a page that lead nowhere. */
function brokenLinks(page: string, text: string): string[] {
  const targets = [...prose(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
  return targets.filter((target) => {
    if (/^https?:/.test(target)) return false;
    const [path = "", fragment] = target.split("#");
    const file = path === "" ? page : join(dirname(page), path);
    if (!existsSync(join(root, file))) return true;
    return fragment !== undefined && !anchorsOf(read(file)).includes(fragment);
  });
}

/** Lines that a shell without comments, or zsh with its globbing, does not take as they are. */
const unpasteable = (block: string): string[] =>
  block
    .split("\n")
    .filter((line) => /^\s*[$#] |\s# /.test(line) || /(^|\s)https?:[^\s"']*[?&*]/.test(line));

describe("the pages", () => {
  test.each(pages)("%s has no broken link", (page) => {
    expect(brokenLinks(page, read(page))).toEqual([]);
  });

  test.each(pages)("%s has shell blocks that paste into bash and zsh", (page) => {
    expect(shellBlocks(read(page)).flatMap(unpasteable)).toEqual([]);
  });

  test("a broken link, a missing heading and a line that does not paste are noticed", () => {
    const links =
      "[a](docs/nowhere.md) [b](README.md#no-such-heading) [c](README.md#more) [d](https://example.com)";
    expect(brokenLinks("x.md", links)).toEqual(["docs/nowhere.md", "README.md#no-such-heading"]);
    const block = '$ ls\nls # all\ncurl http://a/b?c=1\ncurl "http://a/b?c=1"\n';
    expect(unpasteable(block)).toEqual(["$ ls", "ls # all", "curl http://a/b?c=1"]);
  });

  test.each([
    ["README.md", 120],
    ["ARCHITECTURE.md", 250],
  ])("%s has at most %i lines", (page, max) => {
    expect(read(page).split("\n").length - 1).toBeLessThanOrEqual(max);
  });
});

describe("docs/settings.md", () => {
  const vars = /^\[vars\]$([\s\S]*?)^\[/m.exec(read("wrangler.toml"))?.[1] ?? "";
  const names = [...vars.matchAll(/^([A-Z_]+) = /gm)].map(([, name = ""]) => name);

  test("explains every variable of wrangler.toml", () => {
    expect(names.length).toBeGreaterThan(30);
    expect(names.filter((name) => !read("docs/settings.md").includes(`\`${name}\``))).toEqual([]);
  });
});

describe("the decisions", () => {
  const decisions = pages.filter((page) => /^docs\/decisions\/\d/.test(page));

  test.each(decisions)(
    "%s has context, decision, alternatives and consequences, and is in the index",
    (page) => {
      const headings = [...prose(read(page)).matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
      expect(headings).toEqual(["Context", "Decision", "Alternatives", "Consequences"]);
      expect(read("docs/decisions/README.md")).toContain(`](${page.split("/").at(-1)})`);
    },
  );

  test("are numbered without a gap", () => {
    const numbers = decisions
      .map((page) => Number(/(\d{3})-/.exec(page)?.[1]))
      .sort((a, b) => a - b);
    expect(numbers.length).toBeGreaterThan(50);
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
  });
});
