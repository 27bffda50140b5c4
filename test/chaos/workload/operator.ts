import type { System } from "../platform/system.ts";
import type { Client } from "./client.ts";

export interface OpenDeadLetter {
  readonly id: string;
  readonly symbol: string;
}

/** Dead letters of jobs that need a person, the oldest work first. */
export const openDeadLetters = (system: System): OpenDeadLetter[] =>
  system.db
    .rows(
      `SELECT l.id, l.symbol FROM dead_letters l JOIN jobs ON jobs.id = l.subject
       WHERE l.state = 'open' ORDER BY jobs.created_at, jobs.id, l.id`,
    )
    .map(({ id, symbol }) => ({ id: String(id), symbol: String(symbol) }));

const waitingOf = (system: System, symbol: string): string[] =>
  system.db
    .rows(
      "SELECT id FROM jobs WHERE symbol = ? AND blocked_by IS NOT NULL AND due_at IS NULL",
      symbol,
    )
    .map(({ id }) => String(id));

/** Processes that only a person can move, without those of a poisoned object. */
export const stuckProcesses = (system: System): { id: string; direction: string }[] =>
  system.db
    .rows(
      "SELECT id, direction, input ->> 'symbol' AS symbol FROM processes WHERE state = 'stuck' ORDER BY id",
    )
    .filter(({ symbol }) => !system.poisoned().has(String(symbol)))
    .map(({ id, direction }) => ({ id: String(id), direction: String(direction) }));

/**
 * An operator handles stuck processes and dead letters: redrives some and discards others. One that
 * has come back twice is discarded, with everything blocked by it.
 */
export async function handleDeadLetters(client: Client, round: number): Promise<void> {
  for (const { id, direction } of stuckProcesses(client.system)) {
    const path = `/processes/${encodeURIComponent(id)}`;
    if (direction === "backward" || client.random.chance(0.5))
      await client.ask("POST", `${path}/resume`);
    else await client.ask("POST", `${path}/compensate`, { reason: "the operator gave it up" });
  }
  for (const { id, symbol } of openDeadLetters(client.system)) {
    const path = `/backoffice/dead-letters/${encodeURIComponent(id)}`;
    if (round < 2 && client.random.chance(0.6)) {
      await client.ask("POST", `${path}/redrive`);
      continue;
    }
    if (round >= 2) {
      for (const job of waitingOf(client.system, symbol))
        await client.ask("POST", `/jobs/${encodeURIComponent(job)}/cancel`);
    }
    await client.ask("POST", `${path}/discard`, { reason: "the operator gave it up" });
  }
}
