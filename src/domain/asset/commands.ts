import type { AssetFact } from "../events/catalogue.ts";
import type { Cause } from "../events/envelope.ts";
import type { Resolution } from "../market/resolution.ts";
import type { EngineRecord } from "../recommendation/engine-record.ts";
import type { RecommendationBody, RecommendedOn } from "../recommendation/recommendation.ts";
import type { Snapshot } from "../recommendation/snapshot.ts";
import type { Bar } from "./bar.ts";
import type { CorporateAction } from "./corporate-action.ts";

/*
 * Commands of the asset object and their results. Every command carries the symbol, which is
 * compared with the object's own name, so that a routing mistake cannot mix two assets. Signatures
 * may only grow: after a deploy, live objects run the old code for some minutes.
 */

interface Command {
  readonly symbol: string;
  readonly cause: Cause;
}

export interface RegisterCommand extends Command {
  readonly fact: AssetFact;
  /**
   * The fact that the change is based on, null for none. The command is refused if the asset has
   * changed since.
   */
  readonly expected?: AssetFact | null;
}

export interface RegisterResult {
  /** The stream's version. */
  readonly head: number;
  /** The asset's current fact, when the command was refused. */
  readonly found?: AssetFact;
}

export interface IngestCommand extends Command {
  readonly jobId: string;
  /** SHA-256 of the request; the same job with another request is a conflict. */
  readonly requestHash: string;
  readonly resolution: Resolution;
  readonly source: string;
  readonly scheduleId: string | null;
  readonly slot: string | null;
  /** Checked bars, oldest first, no timestamp twice. */
  readonly bars: readonly Bar[];
  /** Dividends and splits that came with them, one of a kind a day. */
  readonly actions?: readonly CorporateAction[];
  /**
   * Factor for the prices of the stored bars before these, which their source does not cover any
   * more.
   */
  readonly olderTimes?: number;
}

export interface IngestResult {
  readonly added: number;
  readonly revised: number;
  readonly unchanged: number;
  /** Number of corporate actions that are new or were revised; absent when there are none. */
  readonly actions?: number;
  /** The stream's version after the commit. */
  readonly head: number;
}

export interface IndicatorsCommand extends Command {
  readonly jobId: string;
  readonly requestHash: string;
  readonly resolution: Resolution;
  readonly codeVersion: string;
}

export interface IndicatorsResult {
  readonly computed: number;
  readonly rebuilt: boolean;
  readonly head: number;
}

/** Everything a recommendation may be based on, and where it comes from. */
export interface RecommendationContext {
  readonly snapshot: Snapshot;
  readonly basedOn: RecommendationBody["basedOn"];
  /**
   * Version of the stream when it was read: the answer is stored only if nothing has happened
   * since.
   */
  readonly version: number;
  /** Track record of the requested engine on this series; null before its first outcome. */
  readonly record?: EngineRecord | null;
  /** Quality of the newest bars; absent from objects that run older code. */
  readonly quality?: RecommendedOn;
}

export interface RecordRecommendationCommand extends Command {
  readonly jobId: string;
  readonly requestHash: string;
  readonly recommendation: RecommendationBody;
  readonly expectedVersion: number;
}

export type RecommendationResult =
  | {
      readonly kind: "recorded";
      readonly recommendationId: string;
      /** True when the same snapshot had been answered before: that answer remains. */
      readonly repeated: boolean;
      readonly head: number;
    }
  /** The asset has changed since the context was read; nothing was stored. */
  | { readonly kind: "conflict"; readonly expected: number; readonly actual: number };

/** Evaluates the recommendations that are due, at every resolution. */
export interface ResolveCommand extends Command {
  readonly jobId: string;
  readonly requestHash: string;
}

export interface EvaluationsResult {
  readonly resolved: number;
  readonly head: number;
}
