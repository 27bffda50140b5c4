import * as z from "zod";
import { stuckAt } from "../../domain/process/decide.ts";
import { definitionOf, PROCESS_KINDS, type ProcessKind } from "../../domain/process/kinds.ts";
import type { ProcessRecord } from "../../domain/process/process.ts";
import {
  DIRECTIONS,
  PROCESS_STATES,
  type ProcessStateName,
  STEP_STATES,
} from "../../domain/process/state.ts";
import type { Reader } from "../../reader.ts";
import { type AuditEntry, writeAudit } from "../operations/audit.ts";
import { readableRows } from "../readable-rows.ts";

const problem = z.looseObject({ code: z.string(), detail: z.string() });

const steps = z.array(
  z.object({
    name: z.string(),
    state: z.enum(STEP_STATES),
    result: z.unknown(),
    attempts: z.array(
      z.object({
        direction: z.enum(DIRECTIONS),
        startedAt: z.number(),
        endedAt: z.number(),
        outcome: z.enum(["done", "later", "refused"]),
        error: problem.nullable(),
      }),
    ),
  }),
);

const row = z.object({
  id: z.string(),
  kind: z.enum(PROCESS_KINDS),
  state: z.enum(PROCESS_STATES),
  direction: z.enum(DIRECTIONS),
  step: z.number(),
  steps: z.string(),
  input: z.string(),
  tries: z.number(),
  looks: z.number(),
  since: z.number(),
  due_at: z.number().nullable(),
  lease_until: z.number().nullable(),
  error: z.string().nullable(),
  version: z.number(),
  actor: z.string(),
  traceparent: z.string().nullable(),
  created_at: z.number(),
  updated_at: z.number(),
  finished_at: z.number().nullable(),
});

function toProcess(found: { readonly id: string }): ProcessRecord {
  const one = row.parse(found);
  return {
    id: one.id,
    kind: one.kind,
    input: JSON.parse(one.input),
    progress: {
      state: one.state,
      direction: one.direction,
      step: one.step,
      steps: steps
        .parse(JSON.parse(one.steps))
        .map((step) => ({ ...step, result: step.result ?? null })),
      tries: one.tries,
      looks: one.looks,
      since: one.since,
      dueAt: one.due_at,
      leaseUntil: one.lease_until,
      error: one.error === null ? null : problem.parse(JSON.parse(one.error)),
      finishedAt: one.finished_at,
    },
    version: one.version,
    actor: one.actor,
    traceparent: one.traceparent,
    createdAt: one.created_at,
    updatedAt: one.updated_at,
  };
}

/** The columns that progress writes, in the order of `progressOf`. */
const progressOf = ({ kind, progress }: ProcessRecord) => [
  progress.state,
  progress.direction,
  progress.step,
  JSON.stringify(progress.steps),
  progress.tries,
  progress.looks,
  progress.since,
  progress.dueAt,
  progress.leaseUntil,
  stuckAt(definitionOf(kind), progress),
  progress.error === null ? null : JSON.stringify(progress.error),
  progress.finishedAt,
];

/**
 * Records a new process with its audit row; one that is recorded already stays as it is. For one
 * batch.
 */
export function startProcess(
  db: D1Database,
  process: ProcessRecord,
  audit: AuditEntry,
): D1PreparedStatement[] {
  const insert = db
    .prepare(
      `INSERT OR IGNORE INTO processes (id, kind, input, version, actor, traceparent, created_at, updated_at,
         state, direction, step, steps, tries, looks, since, due_at, lease_until, stuck_at, error, finished_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .bind(
      process.id,
      process.kind,
      JSON.stringify(process.input),
      process.version,
      process.actor,
      process.traceparent,
      process.createdAt,
      process.updatedAt,
      ...progressOf(process),
    );
  const unknown = `(SELECT one.value FROM json_each(?1) AS one
    WHERE NOT EXISTS (SELECT 1 FROM processes WHERE id = one.value ->> 'subject'))`;
  return [writeAudit(db, [audit], unknown), insert];
}

/**
 * Writes how far a process has come, with what the audit has to say about it, if it is still at the
 * version that was decided on. False when somebody else has moved it; then nothing is written.
 */
export async function saveProcess(
  db: D1Database,
  process: ProcessRecord,
  now: number,
  audit: readonly AuditEntry[],
): Promise<boolean> {
  const update = db
    .prepare(
      `UPDATE processes SET version = ?2 + 1, updated_at = ?3, state = ?4, direction = ?5, step = ?6, steps = ?7,
         tries = ?8, looks = ?9, since = ?10, due_at = ?11, lease_until = ?12, stuck_at = ?13, error = ?14,
         finished_at = ?15
       WHERE id = ?1 AND version = ?2`,
    )
    .bind(process.id, process.version, now, ...progressOf(process));
  const standing = `(SELECT one.value FROM json_each(?1) AS one JOIN processes ON processes.id = one.value ->> 'subject'
    WHERE processes.version = one.value ->> 'version')`;
  const entries = audit.map((entry) => ({ ...entry, version: process.version }));
  const results = await db.batch([
    ...(entries.length > 0 ? [writeAudit(db, entries, standing)] : []),
    update,
  ]);
  return (results.at(-1)?.meta.changes ?? 0) > 0;
}

/** An effect of a process, with the audit row that stands for it. */
export interface Effect {
  readonly processId: string;
  readonly key: string;
  readonly audit: AuditEntry;
}

/**
 * Notes an effect, to be had in the same batch: repeated it leaves no second note and no second
 * audit row.
 */
export function noteEffect(
  db: D1Database,
  { processId, key, audit }: Effect,
): D1PreparedStatement[] {
  const unknown = `(SELECT one.value FROM json_each(?1) AS one JOIN processes ON processes.id = one.value ->> 'processId'
    WHERE NOT EXISTS (SELECT 1 FROM json_each(processes.deeds) AS deed WHERE deed.value = one.value ->> 'key'))`;
  const note = db
    .prepare(
      `UPDATE processes SET deeds = json_insert(deeds, '$[#]', ?2)
       WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM json_each(deeds) AS deed WHERE deed.value = ?2)`,
    )
    .bind(processId, key);
  const entry = { ...audit, processId, key };
  return [writeAudit(db, [entry], unknown), note];
}

export async function hasEffect(db: D1Database, processId: string, key: string): Promise<boolean> {
  const found = await db
    .prepare(
      "SELECT 1 AS yes FROM processes, json_each(processes.deeds) AS deed WHERE processes.id = ? AND deed.value = ?",
    )
    .bind(processId, key)
    .first<{ yes: number }>();
  return found !== null;
}

export async function findProcess(db: Reader, id: string): Promise<ProcessRecord | null> {
  const found = await db
    .prepare("SELECT * FROM processes WHERE id = ?")
    .bind(id)
    .first<{ id: string }>();
  return found === null ? null : toProcess(found);
}

/** The process with the highest number among those whose id begins so. */
export async function latestProcess(db: Reader, prefix: string): Promise<ProcessRecord | null> {
  const found = await db
    .prepare("SELECT * FROM processes WHERE id > ?1 AND id < ?1 || 'a' ORDER BY id DESC LIMIT 1")
    .bind(prefix)
    .first<{ id: string }>();
  return found === null ? null : toProcess(found);
}

/**
 * Processes that should have gone on before `before`, oldest first; the next sweep leaves them
 * alone for a while.
 */
export async function takeOverdueProcesses(
  db: D1Database,
  before: number,
  now: number,
  limit: number,
): Promise<{ id: string; traceparent: string | null }[]> {
  const { results } = await db
    .prepare(
      `UPDATE processes SET due_at = ?2
       WHERE id IN (SELECT id FROM processes WHERE due_at IS NOT NULL AND due_at < ?1 ORDER BY due_at LIMIT ?3)
       RETURNING id, traceparent`,
    )
    .bind(before, now, limit)
    .all<{ id: string; traceparent: string | null }>();
  return results;
}

/** Processes whose step in work has taken too long and that nobody has in hand, longest first. */
export async function unmovedProcesses(
  db: D1Database,
  now: number,
  limit: number,
): Promise<ProcessRecord[]> {
  const { results } = await db
    .prepare(
      `SELECT * FROM processes WHERE stuck_at IS NOT NULL AND stuck_at < ?1
         AND (lease_until IS NULL OR lease_until <= ?1) ORDER BY stuck_at LIMIT ?2`,
    )
    .bind(now, limit)
    .all<{ id: string }>();
  return readableRows("processes", results, toProcess);
}

export interface ProcessFilter {
  readonly kind: ProcessKind | null;
  readonly state: ProcessStateName | null;
}

/** Processes newest first, before a (createdAt, id) position. */
export async function listProcesses(
  db: Reader,
  { kind, state }: ProcessFilter,
  before: readonly [number, string] | null,
  limit: number,
): Promise<ProcessRecord[]> {
  const { results } = await db
    .prepare(
      `SELECT * FROM processes WHERE (created_at, id) < (?1, ?2) AND (?3 IS NULL OR kind = ?3)
         ${state === null ? "" : "AND state = ?5"} ORDER BY created_at DESC, id DESC LIMIT ?4`,
    )
    .bind(
      before?.[0] ?? Number.MAX_SAFE_INTEGER,
      before?.[1] ?? "",
      kind,
      limit,
      ...(state === null ? [] : [state]),
    )
    .all<{ id: string }>();
  return readableRows("processes", results, toProcess);
}

/** As many as are counted of a state; more is more than anybody waits to hear. */
const COUNTED = 10_000;

/** How many processes are stuck, up to 10,000: the figure to raise an alarm by. */
export async function countStuckProcesses(db: Reader): Promise<number> {
  const found = await db
    .prepare("SELECT count(*) AS n FROM (SELECT 1 FROM processes WHERE state = 'stuck' LIMIT ?)")
    .bind(COUNTED)
    .first<{ n: number }>();
  return found?.n ?? 0;
}
