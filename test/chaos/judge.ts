import { INVARIANTS } from "./invariants/list.ts";
import { neverAhead } from "./invariants/never-ahead.ts";
import { View } from "./invariants/view.ts";
import type { System } from "./platform/system.ts";
import type { Ledger } from "./workload/ledger.ts";

/** A promise that was broken. */
export interface Violation {
  readonly invariant: string;
  readonly what: string;
}

/**
 * Unfinished work, in words; empty when the installation is at rest. Work of a poisoned object can
 * never finish and does not count: the promise is that all the rest does.
 */
export function openWork(system: System): string[] {
  const { db, broker } = system;
  const poisoned = [...system.poisoned()];
  const isPoisoned = (text: string): boolean => poisoned.some((name) => text.includes(name));
  const open: string[] = [];
  const note = (what: string, names: readonly string[], all = false) => {
    const well = names.filter((name) => all || !isPoisoned(name));
    if (well.length > 0) open.push(`${well.length} ${what} (${well[0]})`);
  };
  const names = (sql: string): string[] => db.rows(sql).map(({ name }) => String(name));
  const held = heldProcesses(system);
  const waits = (body: string): boolean => held.some((id) => body.includes(JSON.stringify(id)));
  note(
    "messages",
    broker.backlog().filter((body) => !waits(body)),
  );
  note(
    "open processes",
    names("SELECT id AS name FROM processes WHERE due_at IS NOT NULL").filter(
      (id) => !held.includes(id),
    ),
  );
  note(
    "comparisons with the logs",
    names("SELECT id AS name FROM reconciliations WHERE due_at IS NOT NULL"),
    true,
  );
  note("rebuilds", names("SELECT id AS name FROM rebuilds WHERE due_at IS NOT NULL"), true);
  note("open jobs", names("SELECT id AS name FROM jobs WHERE due_at IS NOT NULL"), true);
  note("open deliveries", names("SELECT id AS name FROM deliveries WHERE due_at IS NOT NULL"));
  note("claimed slots", names("SELECT schedule_id AS name FROM slots WHERE state = 'claimed'"));
  note(
    "streams behind",
    names("SELECT stream_id AS name FROM streams WHERE projected_version < known_version"),
  );
  // An alarm alone is no work: an object may poll every minute forever.
  for (const host of system.hosts().filter(({ poisoned: lost }) => !lost)) {
    const { db: own } = host.disk;
    if (!own.has("outbox")) continue;
    if (host.busy) open.push(`${host.label} is busy`);
    const versions = own
      .rows("SELECT version FROM outbox")
      .map(({ version }) => `version ${String(version)}`);
    note(`unpublished events of ${host.label}`, versions);
  }
  return open;
}

/** Processes that poll in vain for jobs blocked by a dead letter: a person has to act. */
function heldProcesses({ db }: System): string[] {
  const held = db.rows(
    `SELECT id FROM processes WHERE due_at IS NOT NULL AND EXISTS (
       SELECT 1 FROM jobs WHERE jobs.symbol = processes.input ->> 'symbol' AND jobs.blocked_by IS NOT NULL
         AND jobs.due_at IS NULL AND jobs.finished_at IS NULL)`,
  );
  return held.map(({ id }) => String(id));
}

/** Invariants at any moment. */
export const checkAlways = (system: System): Violation[] =>
  neverAhead(system).map((what) => ({
    invariant: "the read model is never ahead and has no gap",
    what,
  }));

/** Invariants at rest. */
export function checkAtRest(system: System, ledger: Ledger): Violation[] {
  const view = new View(system, ledger);
  return INVARIANTS.flatMap(({ name, check }) =>
    check(view).map((what) => ({ invariant: name, what })),
  );
}
