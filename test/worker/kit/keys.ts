import { expect } from "vitest";
import { type Answer, api } from "./api.ts";

/** A new API key, by the first key or by `maker`. */
export async function keyFor(scopes: readonly string[], maker?: string): Promise<string> {
  const answer = await makeKey({ name: "test", scopes }, maker);
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
  return String(answer.body["key"]);
}

export const makeKey = (body: unknown, maker?: string): Promise<Answer> =>
  api("POST", "/backoffice/api-keys", body, maker === undefined ? {} : as(maker));

export const as = (key: string): Readonly<Record<string, string>> => ({
  authorization: `Bearer ${key}`,
});
