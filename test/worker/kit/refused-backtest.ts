import { expect } from "vitest";
import { api } from "./api.ts";
import { rows } from "./market.ts";

/**
 * Asks for a backtest that cannot be, and sees that it is refused for one field (if it is for one)
 * and leaves nothing behind.
 */
export async function expectRefused(
  body: object,
  status: number,
  field: string | undefined,
): Promise<void> {
  const count = async () => (await rows("SELECT 1 FROM backtests")).length;
  const before = await count();
  const answer = await api("POST", "/backtests", body);
  expect(answer.status).toBe(status);
  if (field !== undefined) expect(answer.body["errors"]).toMatchObject([{ field }]);
  expect(await count()).toBe(before);
}
