import type { ImportFile } from "./bars.ts";
import type { Client } from "./client.ts";

/** An import that was accepted. */
export interface AcceptedImport {
  readonly symbol: string;
  readonly jobId: string;
  readonly file: ImportFile;
}

export interface AcceptedEndpoint {
  readonly id: string;
  readonly host: string;
  /** Null when the answer that showed it was lost: a repetition does not show it again. */
  readonly secret: string | null;
  readonly patterns: readonly string[];
  readonly at: number;
}

/** All actions of the clients, for the invariants. */
export class Ledger {
  /** The assets there may be. */
  readonly universe: readonly NewAsset[];
  readonly imports: AcceptedImport[] = [];
  readonly endpoints: AcceptedEndpoint[] = [];
  /** Endpoints that were changed later, which leaves the expected deliveries open. */
  readonly changedEndpoints = new Set<string>();
  readonly assets: { readonly symbol: string; readonly at: number }[] = [];
  readonly changedAssets = new Set<string>();
  readonly schedules: { readonly id: string; readonly at: number }[] = [];
  readonly changedSchedules = new Set<string>();
  readonly jobs: string[] = [];
  readonly processes: string[] = [];
  /** Import requests that were begun, whatever came of them. */
  importsBegun = 0;
  garbage = 0;

  constructor(universe: readonly NewAsset[]) {
    this.universe = universe;
  }
}

export interface NewAsset {
  readonly symbol: string;
  readonly type: string;
  readonly currency: string;
  readonly source?: string;
}

/** One thing that people and programs do. */
export type Action = (client: Client, ledger: Ledger) => Promise<void>;
