import type { AssetFact } from "../events/catalogue.ts";
import type { Cause } from "../events/envelope.ts";
import type { Resolution } from "../market/resolution.ts";
import type { EngineRecord } from "../recommendation/engine-record.ts";
import type { RecommendationBody, RecommendedOn } from "../recommendation/recommendation.ts";
import type { Snapshot } from "../recommendation/snapshot.ts";
import type { Bar } from "./bar.ts";
import type { CorporateAction } from "./corporate-action.ts";

/*
 * What the asset object is asked and what it answers. The symbol is said in every command and compared with the
 * object's own name, so that a routing mistake cannot mix two assets. Signatures may only grow: after a deploy, live
 * objects run the old code for some minutes.
 */

interface Command {
  readonly symbol: string;
  readonly cause: Cause;
}

export interface RegisterCommand extends Command {
  readonly fact: AssetFact;
  /**
   * What the fact was made from, null for nothing: it is refused when the asset is something else
   * by now.
   */
  readonly expected?: AssetFact | null;
}

export interface RegisterResult {
  /** The stream's version. */
  readonly head: number;
  /** When it was refused: what the asset is. */
  readonly found?: AssetFact;
}

export interface IngestCommand extends Command {
  readonly jobId: string;
  /** SHA-256 of what was ordered; the same job with another order is a conflict. */
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
   * By what to multiply the prices of the stored bars before these, which their source does not
   * reach any more.
   */
  readonly olderTimes?: number;
}

export interface IngestResult {
  readonly added: number;
  readonly revised: number;
  readonly unchanged: number;
  /** Corporate actions that are new or were revised; left out when there are none. */
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
   * The stream's version when it was read: the answer is kept only if nothing has happened since.
   */
  readonly version: number;
  /**
   * How the engine that was asked about has fared on this series; null before its first resolved
   * call.
   */
  readonly record?: EngineRecord | null;
  /** Of the newest bars; not told by objects of before it was judged. */
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
      /** True when the same snapshot had been answered before and that answer stands. */
      readonly repeated: boolean;
      readonly head: number;
    }
  /** The asset has moved on since the context was read; nothing was kept. */
  | { readonly kind: "conflict"; readonly expected: number; readonly actual: number };

/** Resolve what is due, at every resolution. */
export interface ResolveCommand extends Command {
  readonly jobId: string;
  readonly requestHash: string;
}

export interface EvaluationsResult {
  readonly resolved: number;
  readonly head: number;
}
