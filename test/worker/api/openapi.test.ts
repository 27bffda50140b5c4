import { exports } from "cloudflare:workers";
import { beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";

const schema = z.record(z.string(), z.unknown());
const operationView = z.looseObject({
  parameters: z
    .array(z.object({ name: z.string(), in: z.string(), required: z.boolean().optional(), schema }))
    .default([]),
  requestBody: z
    .object({ required: z.boolean(), content: z.record(z.string(), z.object({ schema })) })
    .optional(),
  responses: z.record(z.string(), z.looseObject({ description: z.string() })),
  security: z.array(z.record(z.string(), z.array(z.string()))),
});
const documentView = z.looseObject({
  openapi: z.string().regex(/^3\.1\./),
  info: z.looseObject({ title: z.string(), version: z.string() }),
  paths: z.record(z.string().startsWith("/"), z.record(z.string(), operationView)),
  components: z.looseObject({ schemas: z.record(z.string(), schema), securitySchemes: schema }),
});

let document: z.infer<typeof documentView>;
beforeAll(async () => {
  const response = await exports.default.fetch(new Request("http://127.0.0.1/api/openapi.json"));
  document = documentView.parse(await response.json());
});

/** Every object in the document, and where it stands. */
function* nodes(
  node: unknown,
  at = "#",
): Generator<readonly [string, Readonly<Record<string, unknown>>]> {
  if (typeof node !== "object" || node === null) return;
  if (!Array.isArray(node)) yield [at, node as Record<string, unknown>];
  for (const [key, value] of Object.entries(node)) yield* nodes(value, `${at}/${key}`);
}

const operations = () =>
  Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
  );

const TYPES = new Set(["string", "number", "integer", "boolean", "array", "object", "null"]);

describe("the description for machines", () => {
  test("points only at what it holds", () => {
    const dangling = [...nodes(document)].flatMap(([at, { $ref }]) => {
      if (typeof $ref !== "string") return [];
      const [, name] = /^#\/components\/schemas\/([^/]+)$/.exec($ref) ?? [];
      return name !== undefined && name in document.components.schemas ? [] : [`${at}: ${$ref}`];
    });
    expect(dangling).toStrictEqual([]);
  });

  test("declares each place of a path, once, and no other", () => {
    for (const { path, method, operation } of operations()) {
      const places = [...path.matchAll(/\{([^}]+)\}/g)].map(([, name]) => name);
      const declared = operation.parameters.filter((one) => one.in === "path");
      expect(declared.map(({ name }) => name).toSorted(), `${method} ${path}`).toStrictEqual(
        places.toSorted(),
      );
      expect(declared.every(({ required }) => required === true)).toBe(true);
      const names = operation.parameters.map((one) => `${one.in} ${one.name}`);
      expect(new Set(names).size).toBe(names.length);
    }
  });

  test("says of each operation the scope, an answer of success, and that all else is a problem", () => {
    for (const { path, method, operation } of operations()) {
      const about = `${method} ${path}`;
      expect(
        operation.security.flatMap((need) => need["apiKey"] ?? []),
        about,
      ).toHaveLength(1);
      const statuses = Object.keys(operation.responses);
      expect(
        statuses.some((status) => /^2\d\d$/.test(status)),
        about,
      ).toBe(true);
      expect(JSON.stringify(operation.responses["default"]), about).toMatch(
        /application\/problem\+json/,
      );
    }
  });

  test("uses only the types there are, patterns that compile, and defaults of the type they stand for", () => {
    for (const [at, node] of nodes({
      paths: document.paths,
      schemas: document.components.schemas,
    })) {
      // A field may itself be called `type` or `pattern`.
      if (at.endsWith("/properties") || at.endsWith("/example")) continue;
      const { type, pattern, default: preset, minimum, maximum } = node;
      if (typeof type === "string" && !at.includes("/example"))
        expect(TYPES.has(type), `${at}: ${type}`).toBe(true);
      if (typeof pattern === "string") expect(() => new RegExp(pattern, "u"), at).not.toThrow();
      if (preset === undefined || typeof type !== "string") continue;
      if (type === "integer") expect(Number.isInteger(preset), at).toBe(true);
      else if (type === "array") expect(Array.isArray(preset), at).toBe(true);
      else expect(typeof preset, at).toBe(type);
      if (typeof minimum === "number" && typeof maximum === "number") {
        expect(Number(preset), at).toBeGreaterThanOrEqual(minimum);
        expect(Number(preset), at).toBeLessThanOrEqual(maximum);
      }
    }
  });
});
