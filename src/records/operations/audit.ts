/** Who did what to what, and how it ended. Append only. */
export interface AuditEntry {
  readonly id: string;
  readonly at: number;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly outcome: string;
  readonly detail: string | null;
  /** W3C Trace Context of what it was done for, where there is one. */
  readonly traceparent?: string | null | undefined;
}

/** `from` may let through only some of the rows in `?1`, also by what else they say. */
export function writeAudit(
  db: D1Database,
  entries: readonly AuditEntry[],
  from = "json_each(?1)",
): D1PreparedStatement {
  return db
    .prepare(
      `INSERT OR IGNORE INTO audit_log (id, at, actor, action, subject, outcome, detail, traceparent)
       SELECT value ->> 'id', value ->> 'at', value ->> 'actor', value ->> 'action', value ->> 'subject',
              value ->> 'outcome', value ->> 'detail', value ->> 'traceparent'
       FROM ${from}`,
    )
    .bind(JSON.stringify(entries));
}
