import { deliveries } from "./deliveries.ts";
import { gaplessLogs } from "./gapless-logs.ts";
import { imports } from "./imports.ts";
import { failuresAreRecorded, garbageIsKept, jobsEnd } from "./jobs.ts";
import { noEffectTwice } from "./no-effect-twice.ts";
import { outbox } from "./outbox.ts";
import { portfolios } from "./portfolios.ts";
import { processesEnd } from "./processes.ts";
import { rankings } from "./rankings.ts";
import { readModel } from "./read-model.ts";
import { slots } from "./slots.ts";
import { stateIsFold } from "./state-is-fold.ts";
import { trackRecord } from "./track-record.ts";
import type { View } from "./view.ts";

/** A promise, and its check at rest: the violations, in words. */
export interface Invariant {
  readonly name: string;
  readonly check: (view: View) => readonly string[];
}

export const INVARIANTS: readonly Invariant[] = [
  jobsEnd,
  failuresAreRecorded,
  garbageIsKept,
  gaplessLogs,
  stateIsFold,
  outbox,
  noEffectTwice,
  readModel,
  trackRecord,
  rankings,
  portfolios,
  deliveries,
  slots,
  imports,
  processesEnd,
];
