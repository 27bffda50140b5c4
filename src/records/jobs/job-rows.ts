import {
  type Attempt,
  type JobRecord,
  type JobState,
  type Subject,
  subjectOf,
} from "../../domain/job/job.ts";
import { type JobParams, kindOfRow } from "../../domain/job/job-kinds.ts";
import type { Resolution } from "../../domain/market/resolution.ts";
import type { Problem } from "../../domain/outcome.ts";

export interface JobRow {
  id: string;
  kind: string;
  symbol: string;
  subject_type: string;
  subject_id: string;
  resolution: string;
  state: string;
  params: string;
  slot: number | null;
  schedule_id: string | null;
  correlation_id: string;
  causation_id: string | null;
  actor: string;
  attempts: string;
  redrives: number;
  deferrals: number;
  deferred_since: number | null;
  blocked_by: string | null;
  traceparent: string | null;
  result: string | null;
  error: string | null;
  created_at: number;
  due_at: number | null;
  finished_at: number | null;
}

export function toJobRecord(row: JobRow): JobRecord {
  const params = JSON.parse(row.params) as JobParams;
  const kind = kindOfRow(row.kind, params);
  return { ...recordOf(row), kind, params, ...subjectOf(kind, row.symbol) };
}

const recordOf = (row: JobRow): Omit<JobRecord, "kind" | "params" | keyof Subject> => ({
  id: row.id,
  symbol: row.symbol,
  resolution: row.resolution as Resolution,
  state: row.state as JobState,
  slot: row.slot,
  scheduleId: row.schedule_id,
  correlationId: row.correlation_id,
  causationId: row.causation_id,
  actor: row.actor,
  attempts: JSON.parse(row.attempts) as Attempt[],
  redrives: row.redrives,
  deferrals: row.deferrals,
  deferredSince: row.deferred_since,
  blockedBy: row.blocked_by,
  traceparent: row.traceparent,
  result: row.result === null ? null : (JSON.parse(row.result) as unknown),
  error: row.error === null ? null : (JSON.parse(row.error) as Problem),
  createdAt: row.created_at,
  dueAt: row.due_at,
  finishedAt: row.finished_at,
});
