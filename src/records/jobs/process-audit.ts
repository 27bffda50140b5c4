import type { ProcessRecord } from "../../domain/process/process.ts";
import type { ProcessFact } from "../../domain/process/state.ts";
import type { AuditEntry } from "../operations/audit.ts";

/** What the audit has to say of a fact about a process: its turns, not its every step. */
export function turnOf(
  newId: () => string,
  { id, traceparent }: Pick<ProcessRecord, "id" | "traceparent">,
  fact: ProcessFact,
  at: number,
): AuditEntry[] {
  const entry = (action: string, outcome: string, detail: string | null): AuditEntry[] => [
    { id: newId(), at, actor: "system", action, subject: id, outcome, detail, traceparent },
  ];
  switch (fact.fact) {
    case "CompensationBegan":
      return entry("process.compensate", fact.error.code, fact.error.detail);
    case "ProcessStuck":
      return entry("process.stuck", fact.error.code, fact.error.detail);
    case "ProcessCompleted":
      return entry("process.completed", "done", null);
    case "ProcessCompensated":
      return entry("process.compensated", "done", null);
    case "StepBegun":
    case "StepDone":
    case "StepWaits":
    case "StepRetries":
    case "StepFailed":
    case "StepCompensated":
    case "ProcessResumed":
      return [];
  }
}
