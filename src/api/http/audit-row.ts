import { writeAudit } from "../../records/operations/audit.ts";
import type { ApiEnv } from "./platform.ts";

/**
 * The audit row of an operator's action, to be written in the same batch as the action itself.
 * `from` may be a query on the rows in `?1` that lets it through only while the action can still
 * take effect.
 */
export const auditRow = (
  { api, DB }: ApiEnv["Bindings"],
  actor: string,
  action: string,
  subject: string,
  detail: string | null = null,
  from?: string,
): D1PreparedStatement => {
  const row = {
    id: api.newId(),
    at: api.now(),
    actor,
    action,
    subject,
    outcome: "done",
    detail,
    traceparent: api.traceparent,
  };
  return writeAudit(DB, [row], from);
};
