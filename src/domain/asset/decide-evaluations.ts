import type { PricePoint } from "../analysis/performance.ts";
import type { AssetFact } from "../events/catalogue.ts";
import type { NewEvent } from "../events/envelope.ts";
import { periodsPerYear } from "../indicators/periods-per-year.ts";
import { orNull } from "../indicators/values.ts";
import { initialVolatility, stepVolatility } from "../indicators/volatility.ts";
import type { Resolution } from "../market/resolution.ts";
import { calendarOf } from "../market/usual-calendar.ts";
import {
  countEvaluation,
  type EngineRecord,
  engineKey,
  initialEngineRecord,
  isIndependent,
} from "../recommendation/engine-record.ts";
import {
  citedVolatility,
  evaluationOf,
  type KnownBar,
  type OpenRecommendation,
} from "../recommendation/evaluation.ts";
import type { RecommendationBody } from "../recommendation/recommendation.ts";
import { expectedMove } from "../recommendation/track-record-state.ts";
import { type AdjustmentStep, adjusted } from "./total-return.ts";

/** Returns in the volatility that defines the usual move, as in the indicator `volatility30`. */
const VOLATILITY_PERIOD = 30;

/** Data that an evaluation reads. Timestamps are epoch ms. */
export interface EvaluationsView {
  readonly fact: AssetFact;
  /** Recommendations without an outcome, oldest bar first. */
  readonly openRecommendations: Iterable<OpenRecommendation>;
  readonly barAt: (resolution: Resolution, timestamp: number) => KnownBar | null;
  /** The bar `count` bars after an instant, or null while there are fewer. */
  readonly barAfter: (resolution: Resolution, timestamp: number, count: number) => KnownBar | null;
  /** At most `count` closes up to and including an instant, oldest first. */
  readonly closesUpTo: (
    resolution: Resolution,
    timestamp: number,
    count: number,
  ) => readonly PricePoint[];
  /** The splits that the stored bars still show, oldest first. */
  readonly splits: (resolution: Resolution) => readonly AdjustmentStep[];
  readonly record: (resolution: Resolution, key: string) => EngineRecord | null;
}

/** A record that has changed. */
interface ChangedRecord {
  readonly resolution: Resolution;
  readonly key: string;
  readonly record: EngineRecord;
}

export interface EvaluationsDecision {
  readonly resolved: readonly { readonly open: OpenRecommendation; readonly event: NewEvent }[];
  readonly records: readonly ChangedRecord[];
}

/**
 * Evaluates the recommendations whose horizon bar exists, at most `limit` of them, by the bars as
 * they are known now. The others stay open.
 */
export function decideEvaluations(view: EvaluationsView, limit: number): EvaluationsDecision {
  const resolved: { open: OpenRecommendation; event: NewEvent }[] = [];
  const records = new Map<string, ChangedRecord>();
  for (const open of view.openRecommendations) {
    if (resolved.length >= limit) break;
    const { recommendation } = open;
    const { resolution, horizon } = recommendation;
    const asOf = Date.parse(recommendation.asOf);
    const to = view.barAfter(resolution, asOf, horizon.bars);
    if (to === null) continue;
    const key = engineKey(recommendation);
    const place = `${resolution} ${key}`;
    const record =
      records.get(place)?.record ?? view.record(resolution, key) ?? initialEngineRecord();
    const from = view.barAt(resolution, asOf) ?? asItWas(recommendation);
    const payload = evaluationOf(open, from, to, {
      closeAtScale: closeOnScale(view, resolution, from, to),
      assetType: view.fact.type,
      expectedMove: usualMove(view, recommendation),
      independent: isIndependent(record, asOf),
    });
    records.set(place, { resolution, key, record: countEvaluation(record, payload) });
    resolved.push({ open, event: { eventType: "RecommendationResolved", payload } });
  }
  return { resolved, records: [...records.values()] };
}

/**
 * The close at the recommendation, on the scale of the bar it is evaluated by: a share before a
 * split is several after it.
 */
function closeOnScale(
  view: EvaluationsView,
  resolution: Resolution,
  from: KnownBar,
  to: KnownBar,
): number {
  const between = view.splits(resolution).filter(({ at }) => at <= to.timestamp);
  return adjusted([from], between)[0]?.close ?? from.close;
}

/**
 * Bars are never deleted. Should one be missing all the same, the recommendation's own close
 * counts.
 */
const asItWas = ({ asOf, close }: RecommendationBody): KnownBar => ({
  timestamp: Date.parse(asOf),
  open: null,
  high: null,
  low: null,
  close,
  volume: null,
  version: 0,
});

/**
 * The usual move by the volatility the recommendation cites, or else by the volatility of its bars.
 */
function usualMove(view: EvaluationsView, recommendation: RecommendationBody): number | null {
  const { resolution, horizon, asOf } = recommendation;
  const periods = periodsPerYear(calendarOf(view.fact), resolution);
  const volatility =
    citedVolatility(recommendation) ??
    volatilityOf(usualCloses(view, resolution, Date.parse(asOf)), periods);
  return volatility === null ? null : expectedMove(volatility, periods, horizon.bars);
}

const usualCloses = (view: EvaluationsView, resolution: Resolution, asOf: number): number[] => {
  const splits = view.splits(resolution).filter(({ at }) => at <= asOf);
  const points = view.closesUpTo(resolution, asOf, VOLATILITY_PERIOD + 1);
  return adjusted(points, splits).map(({ close }) => close);
};

function volatilityOf(closes: readonly number[], periods: number): number | null {
  const state = initialVolatility();
  let last = Number.NaN;
  for (const close of closes) last = stepVolatility(state, close, VOLATILITY_PERIOD, periods);
  return orNull(last);
}
