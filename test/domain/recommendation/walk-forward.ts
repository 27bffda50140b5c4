import type { Bar } from "../../../src/domain/asset/bar.ts";
import { decideEvaluations } from "../../../src/domain/asset/decide-evaluations.ts";
import type { AdjustmentStep } from "../../../src/domain/asset/total-return.ts";
import type { AssetType } from "../../../src/domain/market/asset-type.ts";
import { USUAL_CALENDAR } from "../../../src/domain/market/usual-calendar.ts";
import {
  type AnalysisState,
  advance,
  initialAnalysisState,
  snapshotOf,
} from "../../../src/domain/recommendation/analysis-state.ts";
import {
  countEvaluation,
  initialEngineRecord,
} from "../../../src/domain/recommendation/engine-record.ts";
import type {
  ModelIdentity,
  OpenRecommendation,
  RecommendationResolvedBody,
} from "../../../src/domain/recommendation/evaluation.ts";
import type { RecommendationBody } from "../../../src/domain/recommendation/recommendation.ts";
import { recommend } from "../../../src/domain/recommendation/rules-engine.ts";

/** The recommendation that the state implies, as it is stored; null while there is none. */
export function recommendationOf(
  state: AnalysisState,
  changes: Partial<RecommendationBody & ModelIdentity> = {},
): OpenRecommendation | null {
  const snapshot = snapshotOf(state, { symbol: "X", source: "import" });
  if (snapshot === null) return null;
  const asOf = new Date(snapshot.asOf).toISOString();
  const recommendation: RecommendationBody & ModelIdentity = {
    recommendationId: `call of ${asOf}`,
    symbol: snapshot.symbol,
    resolution: snapshot.resolution,
    asOf,
    close: snapshot.close,
    source: snapshot.source,
    ...recommend(snapshot),
    trend: { direction: snapshot.trend.direction, score: snapshot.trend.score },
    engine: snapshot.engine,
    engineVersion: snapshot.engineVersion,
    codeVersion: "test",
    snapshotHash: asOf,
    basedOn: {
      eventId: "event",
      version: state.bars,
      bars: { from: asOf, to: asOf, count: state.bars },
    },
    ...changes,
  };
  return { recommendation, eventId: `event of ${asOf}`, version: state.bars };
}

/** Evaluates recommendations as an asset does, from the existing bars. */
export function resolve(
  assetType: AssetType,
  bars: readonly Bar[],
  calls: readonly OpenRecommendation[],
  splits: readonly AdjustmentStep[] = [],
): RecommendationResolvedBody[] {
  const at = new Map(bars.map((bar, index) => [bar.timestamp, index]));
  const known = (index: number) => {
    const bar = bars[index];
    return bar === undefined ? null : { ...bar, version: 1 };
  };
  const records = new Map<string, ReturnType<typeof initialEngineRecord>>();
  const fact = {
    symbol: "X",
    type: assetType,
    currency: "USD",
    calendar: USUAL_CALENDAR[assetType],
    source: "import",
    live: true,
    archived: false,
  };
  return calls.flatMap((call) => {
    const { resolved, records: changed } = decideEvaluations(
      {
        fact,
        openRecommendations: [call],
        barAt: (_, timestamp) => known(at.get(timestamp) ?? -1),
        barAfter: (_, timestamp, count) => known((at.get(timestamp) ?? -1) + count),
        closesUpTo: (_, timestamp, count) => {
          const end = (at.get(timestamp) ?? -1) + 1;
          return bars.slice(Math.max(0, end - count), end);
        },
        splits: () => splits,
        record: (resolution, key) => records.get(`${resolution} ${key}`) ?? null,
      },
      1,
    );
    for (const { resolution, key, record } of changed) records.set(`${resolution} ${key}`, record);
    return resolved.flatMap(({ event }) =>
      event.eventType === "RecommendationResolved" ? [event.payload] : [],
    );
  });
}

/** The engine's record after these outcomes. */
export const recordAfter = (resolved: readonly RecommendationResolvedBody[]) =>
  resolved.reduce(countEvaluation, initialEngineRecord());

/** Every `every` bars the engine is asked, with only the past. */
export function recommendationsOn(
  assetType: AssetType,
  bars: readonly Bar[],
  every: number,
): { call: OpenRecommendation; state: string }[] {
  const state = initialAnalysisState(assetType, "1d", USUAL_CALENDAR[assetType]);
  const calls: { call: OpenRecommendation; state: string }[] = [];
  bars.forEach((bar, index) => {
    advance(state, bar);
    const call = (index + 1) % every === 0 ? recommendationOf(state) : null;
    if (call !== null) calls.push({ call, state: JSON.stringify(state.calibration) });
  });
  return calls;
}
