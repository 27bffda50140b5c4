import { expect } from "vitest";
import type { Answer } from "./api.ts";
import type { RawAnswer } from "./raw-http.ts";
import { problemView } from "./views.ts";

/** A refusal by RFC 9457, with its reason and without internals. */
export function refusal({ status, headers, text }: Answer | RawAnswer, expected: number) {
  const read = (name: string) =>
    headers instanceof Headers ? headers.get(name) : String(headers[name]);
  expect({ status, text }).toMatchObject({ status: expected });
  expect(read("content-type")).toBe("application/problem+json");
  expect(text).not.toMatch(/\\n\s*at |\.ts:\d|node_modules|SQLITE|D1_ERROR|\bError:/);
  const problem = problemView.parse(JSON.parse(text));
  expect(problem.status).toBe(expected);
  return problem;
}
