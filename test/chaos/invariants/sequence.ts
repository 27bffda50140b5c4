import type { System } from "../platform/system.ts";

/**
 * At rest every blocked job is behind an open dead letter of its asset whose job was requested
 * earlier.
 */
export const waitingInVain = (system: System): string[] =>
  system.db
    .rows(
      `SELECT id FROM jobs WHERE state IN ('queued', 'running', 'retrying') AND due_at IS NULL AND NOT EXISTS (
         SELECT 1 FROM dead_letters l JOIN jobs parked ON parked.id = l.subject
         WHERE l.symbol = jobs.symbol AND l.state = 'open' AND jobs.blocked_by IS NOT NULL
           AND (parked.created_at, parked.id) < (jobs.created_at, jobs.id)) ORDER BY id`,
    )
    .map(({ id }) => `${String(id)} waits for nothing`);

/**
 * Dead letters that are marked as redriving although their job has ended. One whose job still waits
 * is checked by the job's own blocker; a poisoned asset's never ends.
 */
export const redrivenForever = (system: System): string[] =>
  system.db
    .rows(
      `SELECT l.id, l.symbol FROM dead_letters l LEFT JOIN jobs ON jobs.id = l.subject
       WHERE l.state = 'redriving' AND coalesce(jobs.state, '') NOT IN ('queued', 'running', 'retrying') ORDER BY l.id`,
    )
    .filter(({ symbol }) => !system.poisoned().has(String(symbol)))
    .map(({ id }) => `${String(id)} is redriving forever`);
