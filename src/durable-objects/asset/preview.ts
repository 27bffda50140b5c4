import { EventPlan } from "../../domain/dead-letter/plan.ts";
import type { EventLog } from "../event-log.ts";

/**
 * What a command would come to. `planned` is `PlannedEvents` as JSON, since RPC types cannot carry
 * an unknown payload.
 */
export interface Preview<T> {
  readonly result: T;
  readonly planned: string;
}

const AT_ONCE = 100;
const MAX_READ_BYTES = 1_000_000;

/**
 * Runs a commit in a transaction that never ends well: what it would have written is read inside,
 * and then all of it is undone. Faults of the commit itself are thrown as they are.
 */
export function undone<T>(
  storage: DurableObjectStorage,
  log: EventLog,
  commit: () => T,
): Preview<T> {
  const seen: Preview<T>[] = [];
  const undo = new Error("this was only a preview");
  try {
    storage.transactionSync(() => {
      let head = log.head();
      const result = commit();
      const plan = new EventPlan();
      for (;;) {
        const events = log.read(head, AT_ONCE, MAX_READ_BYTES);
        for (const event of events) plan.add(event);
        if (events.length === 0) break;
        head += events.length;
      }
      seen.push({ result, planned: JSON.stringify(plan.planned()) });
      throw undo;
    });
  } catch (error) {
    if (error !== undo) throw error;
  }
  const [preview] = seen;
  if (preview === undefined) throw new Error("a preview saw nothing");
  return preview;
}
