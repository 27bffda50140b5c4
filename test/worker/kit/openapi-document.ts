import { exports } from "cloudflare:workers";
import { expect } from "vitest";
import * as z from "zod";
import { api } from "./api.ts";

const operationView = z.object({
  parameters: z
    .array(z.object({ name: z.string(), in: z.string(), schema: z.looseObject({}).optional() }))
    .default([]),
  requestBody: z.unknown().optional(),
});
const documentView = z.object({ paths: z.record(z.string(), z.record(z.string(), operationView)) });

export interface Described extends z.infer<typeof operationView> {
  readonly method: string;
  readonly path: string;
}

/** The API as it describes itself. */
export async function described(): Promise<Described[]> {
  const response = await exports.default.fetch(new Request("http://127.0.0.1/api/openapi.json"));
  const { paths } = documentView.parse(await response.json());
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({
      ...operation,
      path,
      method: method.toUpperCase(),
    })),
  );
}

/** The path with something in every place. */
export const filled = (path: string): string => path.replaceAll(/\{[^}]+\}/g, "X");

export const bodyOf = (method: string): unknown => (method === "GET" ? undefined : {});

const problemView = z.object({
  status: z.number(),
  code: z.string(),
  detail: z.string(),
  errors: z.array(z.object({ field: z.string(), reason: z.string() })).default([]),
});

/** The problem that a request is refused with. */
export async function refused(
  method: string,
  path: string,
  body?: unknown,
): Promise<z.infer<typeof problemView>> {
  const answer = await api(method, path, body);
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  return problemView.parse(answer.body);
}

/** Some tests ask every route many times. */
export const MANY_MS = 120_000;
