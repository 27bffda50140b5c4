import { type Confidence, confidenceIn, PSEUDO_COUNTS } from "./confidence.ts";
import type { ModelIdentity, RecommendationResolvedBody } from "./evaluation.ts";
import { ACTIONS, type Action } from "./recommendation.ts";
import {
  type ActionCount,
  countCall,
  happenedIn,
  noCounts,
  type TrackRecordCounts,
} from "./track-record-state.ts";

/**
 * Lower bounds of the buckets that an engine's own confidence falls into; the first holds
 * everything below ½.
 */
const BUCKETS_FROM = [0, 0.5, 0.6, 0.7, 0.8] as const;

/**
 * Track record of one engine, of one version and prompt, on one series: over outcomes whose
 * horizons do not overlap, so that they count as samples. Plain JSON of constant size.
 */
export interface EngineRecord {
  readonly counts: TrackRecordCounts;
  /** By action, for each bucket of the engine's own confidence (`BUCKETS_FROM`). */
  readonly buckets: Readonly<Record<Action, readonly ActionCount[]>>;
  /**
   * Timestamp (epoch ms) of the bar that the last counted recommendation was evaluated at; a
   * recommendation made before it overlaps with that.
   */
  readonly countedUntil: number | null;
}

export const initialEngineRecord = (): EngineRecord => ({
  counts: noCounts(),
  buckets: { BUY: noBuckets(), HOLD: noBuckets(), SELL: noBuckets() },
  countedUntil: null,
});

const noBuckets = (): ActionCount[] => BUCKETS_FROM.map(() => ({ n: 0, hits: 0 }));

/**
 * Identity of a record: an engine of another version or with another prompt starts a record of its
 * own.
 */
export const engineKey = (
  made: { readonly engine: string; readonly engineVersion: string } & Pick<
    ModelIdentity,
    "promptVersion"
  >,
): string => JSON.stringify([made.engine, made.engineVersion, made.promptVersion ?? null]);

const bucketOf = (stated: number): number => BUCKETS_FROM.findLastIndex((from) => stated >= from);

/**
 * True if a recommendation made on the bar at `asOf` (epoch ms) overlaps with none that the record
 * has counted.
 */
export const isIndependent = (record: EngineRecord, asOf: number): boolean =>
  record.countedUntil === null || asOf >= record.countedUntil;

/** The record after one more resolution. Void and overlapping ones leave it as it is. */
export function countEvaluation(
  record: EngineRecord,
  resolved: RecommendationResolvedBody,
): EngineRecord {
  const { action, outcome, expectedMove } = resolved;
  if (!resolved.independent) return record;
  const { counts, buckets } = structuredCopy(record);
  countCall(
    counts,
    action,
    happenedIn(Math.log(resolved.resolvedClose / resolved.close), expectedMove),
  );
  const bucket = buckets[action][bucketOf(resolved.rawConfidence ?? resolved.confidence)];
  if (bucket !== undefined) {
    bucket.n += 1;
    if (outcome === "hit") bucket.hits += 1;
  }
  return { counts, buckets, countedUntil: Date.parse(resolved.resolvedAt) };
}

const structuredCopy = ({ counts, buckets }: EngineRecord) => ({
  counts: {
    ...counts,
    actions: {
      BUY: { ...counts.actions.BUY },
      HOLD: { ...counts.actions.HOLD },
      SELL: { ...counts.actions.SELL },
    },
  },
  buckets: Object.fromEntries(
    ACTIONS.map((action) => [action, buckets[action].map((bucket) => ({ ...bucket }))]),
  ) as Record<Action, ActionCount[]>,
});

/**
 * The probability to report for an engine that states its own confidence. From above, each step
 * shrunk to the one before with 20 pseudo-counts: the frequency of the action's event on this
 * series (`market`: the counts that `AnalysisState.calibration` keeps of the bars), the frequency
 * of hits of this engine's recommendations of the action, and that of those with about this
 * confidence. With no evaluated recommendation of its own it is the base rate, whatever its
 * confidence; for the very action of the trend (`isTrendsOwn`) it is the rate of the walked-forward
 * record of the rules. `samples` and `hitRate` are of the action, over all the recommendations that
 * the probability rests on.
 */
export function calibratedConfidence(
  action: Action,
  rawConfidence: number,
  record: EngineRecord | null,
  market: TrackRecordCounts,
  isTrendsOwn = false,
): Confidence {
  const ofRules = confidenceIn(action, market);
  const { baseRate } = ofRules;
  const rules = isTrendsOwn ? market.actions[action] : { n: 0, hits: 0 };
  const own = record?.counts.actions[action] ?? { n: 0, hits: 0 };
  const bucket = record?.buckets[action][bucketOf(rawConfidence)] ?? { n: 0, hits: 0 };
  const samples = own.n + rules.n;
  return {
    confidence: shrunk(bucket, shrunk(own, isTrendsOwn ? ofRules.confidence : baseRate)),
    baseRate,
    samples,
    hitRate: samples === 0 ? null : (own.hits + rules.hits) / samples,
  };
}

const shrunk = ({ n, hits }: ActionCount, to: number): number =>
  (hits + PSEUDO_COUNTS * to) / (n + PSEUDO_COUNTS);
