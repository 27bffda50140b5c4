import { type BreakerFact, type BreakerState, initialBreaker } from "../domain/breaker/breaker.ts";
import { evolve } from "../domain/breaker/decide.ts";
import { readBreakerState } from "../domain/breaker/stored-state.ts";
import { eventsOf } from "../domain/breaker/told.ts";
import type { Cause } from "../domain/events/envelope.ts";
import type { EventLog, Stamp } from "./event-log.ts";

/**
 * A breaker as it stands: its state, why it is so, and the version of its stream that this is true
 * of.
 */
export interface StoredBreaker {
  readonly state: BreakerState;
  /** The detail of the last opening or closing. */
  readonly detail: string;
  readonly version: number;
}

/** The one row a breaker has. */
export class BreakerRecord {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  read(): StoredBreaker {
    const row = this.#sql
      .exec<{ state: string; detail: string; version: number }>(
        "SELECT state, detail, version FROM breaker",
      )
      .toArray()[0];
    if (row === undefined) return { state: initialBreaker(), detail: "", version: 0 };
    return { ...row, state: readBreakerState(row.state) };
  }

  /**
   * Writes facts down: the state they make, and the events that tell of them. Expects the log to
   * end where the state was read, or state and log would tell two stories. Call it inside a
   * transaction.
   */
  write(
    log: EventLog,
    before: StoredBreaker,
    service: string,
    facts: readonly BreakerFact[],
    cause: Cause,
    stamp: Stamp,
  ): StoredBreaker {
    if (facts.length === 0) return before;
    const events = facts.flatMap((fact) => eventsOf(service, fact, cause.jobId));
    const outcome = log.appendAt(before.version, events, cause, stamp);
    if (outcome.kind === "conflict") {
      throw new Error(
        `the breaker of ${service} is at ${outcome.expected}, its log at ${outcome.actual}`,
      );
    }
    const after: StoredBreaker = {
      state: facts.reduce(evolve, before.state),
      detail:
        facts.findLast((fact) => fact.type === "opened" || fact.type === "closed")?.detail ??
        before.detail,
      version: before.version + events.length,
    };
    this.#sql.exec(
      "INSERT OR REPLACE INTO breaker (id, state, detail, version) VALUES (1, ?, ?, ?)",
      JSON.stringify(after.state),
      after.detail,
      after.version,
    );
    return after;
  }
}
