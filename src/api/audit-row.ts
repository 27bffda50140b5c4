import { writeAudit } from "../records/audit.ts";
import type { ApiEnv } from "./platform.ts";

/** The audit row of an operator's action, to be written in the same batch as the action itself. */
export const auditRow = (
  { api, DB }: ApiEnv["Bindings"],
  actor: string,
  action: string,
  subject: string,
  detail: string | null = null,
): D1PreparedStatement =>
  writeAudit(DB, [
    {
      id: api.newId(),
      at: api.now(),
      actor,
      action,
      subject,
      outcome: "done",
      detail,
      traceparent: api.traceparent,
    },
  ]);
