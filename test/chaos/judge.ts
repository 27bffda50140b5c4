import { INVARIANTS } from "./invariants/list.ts";
import { neverAhead } from "./invariants/never-ahead.ts";
import { View } from "./invariants/view.ts";
import type { System } from "./platform/system.ts";
import type { Ledger } from "./workload/program.ts";

/** A promise that was broken. */
export interface Violation {
  readonly invariant: string;
  readonly what: string;
}

/** Work that is not finished, in words; empty when the installation is at rest. */
export function openWork(system: System): string[] {
  const { db, broker } = system;
  const open: string[] = [];
  const count = (sql: string): number => Number(db.rows(sql)[0]?.["n"] ?? 0);
  const note = (what: string, n: number) => {
    if (n > 0) open.push(`${n} ${what}`);
  };
  note("messages", broker.backlog());
  note("invocations", system.open);
  note("open jobs", count("SELECT count(*) AS n FROM jobs WHERE due_at IS NOT NULL"));
  note("open deliveries", count("SELECT count(*) AS n FROM deliveries WHERE due_at IS NOT NULL"));
  note("claimed slots", count("SELECT count(*) AS n FROM slots WHERE state = 'claimed'"));
  note("streams behind", count("SELECT count(*) AS n FROM streams WHERE projected_version < known_version"));
  for (const host of system.hosts()) {
    if (host.busy) open.push(`${host.label} is busy`);
    if (host.disk.alarm !== null) open.push(`${host.label} has an alarm`);
    const { db: own } = host.disk;
    if (own.has("outbox")) note(`unpublished events of ${host.label}`, Number(own.rows("SELECT count(*) AS n FROM outbox")[0]?.["n"]));
  }
  return open;
}

/** What must hold in the middle of everything. */
export const checkAlways = (system: System): Violation[] =>
  neverAhead(system).map((what) => ({ invariant: "the read model is never ahead and has no gap", what }));

/** What must hold when everything has come to rest. */
export function checkAtRest(system: System, ledger: Ledger): Violation[] {
  const view = new View(system, ledger);
  return INVARIANTS.flatMap(({ name, check }) => check(view).map((what) => ({ invariant: name, what })));
}
