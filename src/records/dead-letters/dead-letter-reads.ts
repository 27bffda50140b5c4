import type { JobWord } from "../../domain/job/job-kinds.ts";
import type { Problem } from "../../domain/outcome.ts";
import type { Reader } from "../../reader.ts";
import { readableRows } from "../readable-rows.ts";
import { type DeadLetterState, unsendable } from "./dead-letter-states.ts";

/**
 * A dead letter as it is kept. Instants are epoch ms; what is null was not known when it was filed.
 */
export interface StoredDeadLetter {
  readonly id: string;
  readonly queue: string;
  readonly subject: string | null;
  readonly symbol: string | null;
  readonly body: unknown;
  readonly error: Problem;
  readonly attempts: number;
  readonly state: DeadLetterState;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly fingerprint: string | null;
  readonly faultClass: string | null;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly editedFrom: string | null;
  readonly editedTo: string | null;
  readonly reason: string | null;
  readonly actor: string | null;
  readonly traceparent: string | null;
}

interface Row {
  id: string;
  queue: string;
  subject: string | null;
  symbol: string | null;
  body: string;
  error: string;
  attempts: number;
  state: DeadLetterState;
  created_at: number;
  updated_at: number;
  fingerprint: string | null;
  fault_class: string | null;
  first_at: number | null;
  last_at: number | null;
  edited_from: string | null;
  edited_to: string | null;
  reason: string | null;
  actor: string | null;
  traceparent: string | null;
}

const toDeadLetter = (row: Row): StoredDeadLetter => ({
  id: row.id,
  queue: row.queue,
  subject: row.subject,
  symbol: row.symbol,
  body: JSON.parse(row.body) as unknown,
  error: JSON.parse(row.error) as Problem,
  attempts: row.attempts,
  state: row.state,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  fingerprint: row.fingerprint,
  faultClass: row.fault_class,
  firstAt: row.first_at ?? row.created_at,
  lastAt: row.last_at ?? row.created_at,
  editedFrom: row.edited_from,
  editedTo: row.edited_to,
  reason: row.reason,
  actor: row.actor,
  traceparent: row.traceparent,
});

/** `after` and `before` bound when a letter was filed (epoch ms, `before` not included). */
export interface DeadLetterFilter {
  readonly queue?: string | undefined;
  readonly symbol?: string | undefined;
  readonly fingerprint?: string | undefined;
  readonly after?: number | undefined;
  readonly before?: number | undefined;
}

/**
 * Conditions on `dead_letters AS l`. Only those that are asked for are written, so that each finds
 * its index.
 */
function matches(
  state: DeadLetterState,
  f: DeadLetterFilter,
): { sql: string; values: (string | number)[] } {
  const parked =
    state === "open" || state === "redriving" ? " AND l.state IN ('open', 'redriving')" : "";
  const given = [
    ["l.state = ?", state],
    ["l.queue = ?", f.queue],
    [`l.symbol = ?${parked}`, f.symbol],
    ["l.fingerprint = ?", f.fingerprint],
    ["l.created_at >= ?", f.after],
    ["l.created_at < ?", f.before],
  ] as const;
  const asked = given.flatMap(([sql, value]) => (value === undefined ? [] : [{ sql, value }]));
  return {
    sql: asked.map(({ sql }) => sql).join(" AND "),
    values: asked.map(({ value }) => value),
  };
}

/** Dead letters in a state, newest first, before a (createdAt, id) position. */
export async function listDeadLetters(
  db: Reader,
  state: DeadLetterState,
  filter: DeadLetterFilter,
  before: readonly [number, string] | null,
  limit: number,
): Promise<StoredDeadLetter[]> {
  const { sql, values } = matches(state, filter);
  const { results } = await db
    .prepare(
      `SELECT * FROM dead_letters AS l WHERE ${sql} AND (l.created_at, l.id) < (?, ?)
       ORDER BY l.created_at DESC, l.id DESC LIMIT ?`,
    )
    .bind(...values, before?.[0] ?? Number.MAX_SAFE_INTEGER, before?.[1] ?? "", limit)
    .all<Row>();
  return readableRows("dead_letters", results, toDeadLetter);
}

export async function findDeadLetter(db: Reader, id: string): Promise<StoredDeadLetter | null> {
  const row = await db.prepare("SELECT * FROM dead_letters WHERE id = ?").bind(id).first<Row>();
  return row === null ? null : toDeadLetter(row);
}

/** All letters of one cause. */
export interface DeadLetterGroup {
  readonly fingerprint: string | null;
  readonly count: number;
  readonly oldestAt: number;
  readonly newestAt: number;
  readonly example: StoredDeadLetter;
}

/** The causes with the most letters in a state, with the newest letter of each. */
export async function summariseDeadLetters(
  db: Reader,
  state: DeadLetterState,
  limit: number,
): Promise<DeadLetterGroup[]> {
  const { results } = await db
    .prepare(
      `SELECT cause.count, cause.oldest_at, l.* FROM (
         SELECT fingerprint, count(*) AS count, min(created_at) AS oldest_at, max(created_at) AS newest_at FROM dead_letters
         WHERE state = ?1 GROUP BY fingerprint ORDER BY count(*) DESC, fingerprint LIMIT ?2) AS cause
       JOIN dead_letters AS l ON l.id = (
         SELECT id FROM dead_letters AS one
         WHERE one.state = ?1 AND one.fingerprint IS cause.fingerprint ORDER BY one.created_at DESC, one.id DESC LIMIT 1)
       ORDER BY cause.count DESC, cause.fingerprint`,
    )
    .bind(state, limit)
    .all<Row & { count: number; oldest_at: number }>();
  return readableRows("dead_letters", results, (row) => ({
    fingerprint: row.fingerprint,
    count: row.count,
    oldestAt: row.oldest_at,
    newestAt: row.created_at,
    example: toDeadLetter(row),
  }));
}

/**
 * The letter that has to be dealt with first: an open one of the same asset whose job was ordered
 * earlier.
 */
export async function earlierOpenDeadLetter(
  db: Reader,
  deadLetter: StoredDeadLetter,
): Promise<string | null> {
  const row = await db
    .prepare(
      `SELECT l.id FROM dead_letters AS l JOIN jobs AS parked ON parked.id = l.subject AND parked.symbol = l.symbol
       WHERE l.symbol = ?1 AND l.state IN ('open', 'redriving') AND l.state = 'open'
         AND parked.state NOT IN ('succeeded', 'cancelled')
         AND (parked.created_at, parked.id) < (SELECT created_at, id FROM jobs WHERE id = ?2)
       ORDER BY parked.created_at, parked.id LIMIT 1`,
    )
    .bind(deadLetter.symbol, deadLetter.subject)
    .first<{ id: string }>();
  return row?.id ?? null;
}

/** Open letters of an asset. */
export async function openDeadLettersOf(
  db: Reader,
  symbol: string,
  limit: number,
): Promise<string[]> {
  const { results } = await db
    .prepare(
      `SELECT id FROM dead_letters WHERE symbol = ? AND state IN ('open', 'redriving') AND state = 'open' LIMIT ?`,
    )
    .bind(symbol, limit)
    .all<{ id: string }>();
  return results.map(({ id }) => id);
}

/** How many open letters a filter matches, and where they lie. */
export interface Matching {
  readonly matching: number;
  /** True when there are more than were counted. */
  readonly more: boolean;
  readonly oldest: number | null;
  readonly newest: number | null;
  readonly assets: number;
}

/**
 * A letter to be dealt with together with others. Its body is there where its subject does not say
 * it all.
 */
export interface DeadLetterInBulk {
  readonly id: string;
  readonly queue: string;
  readonly subject: string | null;
  readonly symbol: string | null;
  /** Of the job it is about, if it is about one. */
  readonly kind: JobWord | null;
  readonly body: unknown;
}

/** Nobody deals with more than this at once without a closer look. */
const MAX_COUNT = 100_000;

/**
 * What only people can read names no subject and is not sent again with others, nor is what its
 * endpoint would not take.
 */
const SENDABLE = `l.subject IS NOT NULL AND NOT ${unsendable("l")}`;

/**
 * The open letters that a filter matches: their count and the first of them, oldest work first. Of
 * an event's letter only where its stream stands is taken along: what it says is in the log.
 */
export async function matchDeadLetters(
  db: D1Database,
  filter: DeadLetterFilter,
  { sendable, take }: { readonly sendable: boolean; readonly take: number },
): Promise<{ readonly count: Matching; readonly first: readonly DeadLetterInBulk[] }> {
  const { sql, values } = matches("open", filter);
  const where = sendable ? `${sql} AND ${SENDABLE}` : sql;
  const counted = await db
    .prepare(
      `SELECT count(*) AS n, min(created_at) AS oldest, max(created_at) AS newest, count(DISTINCT symbol) AS assets
       FROM (SELECT created_at, symbol FROM dead_letters AS l WHERE ${where} LIMIT ?)`,
    )
    .bind(...values, MAX_COUNT + 1)
    .first<{ n: number; oldest: number | null; newest: number | null; assets: number }>();
  const { results } = await db
    .prepare(
      `SELECT l.id, l.queue, l.subject, l.symbol, jobs.kind,
         CASE l.queue WHEN 'events' THEN json_object('streamId', l.body ->> 'streamId', 'version', l.body ->> 'version',
                                                     'event', NULL)
                      WHEN 'schedule' THEN substr(l.body, 1, 1000)
                      WHEN 'processes' THEN substr(l.body, 1, 1000) END AS body
       FROM dead_letters AS l LEFT JOIN jobs ON jobs.id = l.subject
       WHERE ${where} ORDER BY coalesce(jobs.created_at, l.created_at), coalesce(jobs.id, l.id), l.id LIMIT ?`,
    )
    .bind(...values, take)
    .all<Omit<DeadLetterInBulk, "body"> & { body: string | null }>();
  const { n = 0, oldest = null, newest = null, assets = 0 } = counted ?? {};
  return {
    count: { matching: Math.min(n, MAX_COUNT), more: n > MAX_COUNT, oldest, newest, assets },
    first: readableRows("dead_letters", results, (row) => ({
      ...row,
      body: row.body === null ? null : (JSON.parse(row.body) as unknown),
    })),
  };
}
