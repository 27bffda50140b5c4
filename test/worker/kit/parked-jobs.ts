import { env } from "cloudflare:workers";
import { expect } from "vitest";
import { api } from "./api.ts";
import type { Broker, DeadLetter } from "./broker.ts";
import { days, enqueueImport, eventsOf, job, openAsset, rows } from "./market.ts";

export const deadLetterOf = (id: string, body: unknown): DeadLetter => ({
  id,
  body,
  attempts: 1,
  notBefore: Date.now(),
});

/**
 * Records `count` imports of one asset, a day of bars each, 00, 01, 02… in this order; their
 * messages are the answer.
 */
export async function enqueueDays(symbol: string, count: number, from = 0) {
  const messages = [];
  for (let n = from; n < from + count; n++) {
    messages.push(await enqueueImport(symbol, slotOf(n), days(1, n)));
  }
  return messages;
}

const slotOf = (n: number): string => String(n).padStart(2, "0");

/** The queue gives up on a job's message, so it is parked. Tells the letter's id. */
export async function park(broker: Broker, message: { jobId: string }): Promise<string> {
  const id = `letter of ${message.jobId} ${(await rows("SELECT 1 FROM dead_letters")).length}`;
  await broker.deliver("DEAD_LETTERS_QUEUE", [deadLetterOf(id, message)]);
  expect((await job(message.jobId)).state).toBe("failed");
  return id;
}

/** The slots of an asset's imports in the order in which they took effect. */
export const effectsOf = async (symbol: string): Promise<string[]> =>
  (await eventsOf(symbol))
    .filter(({ eventType }) => eventType === "MarketDataIngested")
    .map(({ jobId }) => jobId?.split("|")[2] ?? "");

export interface Standing {
  readonly waiting: readonly string[];
  readonly running: readonly string[];
}

/** Which of an asset's jobs wait behind its parked one, and which of them runs. */
export async function standingOf(symbol: string): Promise<Standing> {
  const line = await rows<{ id: string; due_at: number | null }>(
    "SELECT id, due_at FROM jobs WHERE symbol = ? AND blocked_by IS NOT NULL ORDER BY created_at, id",
    symbol,
  );
  const ids = (waits: boolean) =>
    line.filter(({ due_at }) => (due_at === null) === waits).map(({ id }) => id);
  return { waiting: ids(true), running: ids(false) };
}

export const deadLetterState = async (id: string): Promise<string> =>
  (await rows<{ state: string }>("SELECT state FROM dead_letters WHERE id = ?", id))[0]?.state ??
  "gone";

/** Nothing of an asset is left in the middle: every job has ended and none waits. */
export async function expectAtRest(symbol: string): Promise<void> {
  const open = await rows(
    "SELECT id, state, due_at FROM jobs WHERE symbol = ? AND finished_at IS NULL",
    symbol,
  );
  expect(open).toEqual([]);
  expect(await standingOf(symbol)).toEqual({ waiting: [], running: [] });
}

/** The same numbers in another order, the same one for the same seed. */
export function shuffled<T>(items: readonly T[], seed: number): T[] {
  let state = seed;
  const random = () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
  return items
    .map((item) => ({ item, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

/** The database as `interfere` changes it; everything else of it stays. */
export const databaseWith = (interfere: Partial<D1Database>): Env => ({
  ...env,
  DB: new Proxy(env.DB, {
    get: (target, key) => {
      const own: unknown = Reflect.get(interfere, key);
      return own ?? Reflect.get(target, key).bind(target);
    },
  }),
});

export const slots = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, n) => slotOf(from + n));

export const redrive = async (id: string) =>
  expect(
    (await api("POST", `/backoffice/dead-letters/${encodeURIComponent(id)}/redrive`)).status,
  ).toBe(202);
export const discard = async (id: string) =>
  expect(
    (
      await api("POST", `/backoffice/dead-letters/${encodeURIComponent(id)}/discard`, {
        reason: "a test",
      })
    ).status,
  ).toBe(200);

/**
 * Ten imports of an asset, the fourth of them parked, and all others waiting for their messages.
 */
export async function parkedFourth(broker: Broker, symbol: string, count = 10) {
  await openAsset(symbol);
  await broker.settle();
  const messages = await enqueueDays(symbol, count);
  const [parked] = messages.splice(3, 1);
  if (parked === undefined) throw new Error("no fourth message");
  return { deadLetter: await park(broker, parked), messages };
}

/** The same with the later ones set aside. */
export async function lineBehindFourth(
  broker: Broker,
  symbol: string,
  count = 10,
): Promise<string> {
  const { deadLetter, messages } = await parkedFourth(broker, symbol, count);
  broker.put("INGEST_QUEUE", ...messages);
  await broker.settle();
  expect((await standingOf(symbol)).waiting.slice(0, count - 4)).toEqual(
    slots(4, count - 1).map((slot) => `ingest|${symbol}|${slot}`),
  );
  return deadLetter;
}
