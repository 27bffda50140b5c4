import { actionsOf, fromActionFact } from "../../../src/domain/asset/action-fact.ts";
import type { Bar } from "../../../src/domain/asset/bar.ts";
import { barsOf, fromFact } from "../../../src/domain/asset/bar-fact.ts";
import { actionKey, type CorporateAction } from "../../../src/domain/asset/corporate-action.ts";
import type { AssetView } from "../../../src/domain/asset/decide.ts";
import type { AssetFact } from "../../../src/domain/events/catalogue.ts";
import type { AnyEvent } from "../../../src/domain/events/envelope.ts";
import type { Resolution } from "../../../src/domain/market/resolution.ts";

/** The oracle of the asset object: a fold of its events, what its tables must hold at any version. */
export interface AssetState {
  readonly version: number;
  readonly fact: AssetFact | null;
  /**
   * By resolution and timestamp (epoch ms); each with the version of the event that last wrote it.
   */
  readonly bars: ReadonlyMap<Resolution, ReadonlyMap<number, Bar & { readonly version: number }>>;
  /** By ex-date and kind; each with the version of the event that last wrote it. */
  readonly actions: ReadonlyMap<string, CorporateAction & { readonly version: number }>;
  /** Recommendation by the hash of the snapshot it answers. */
  readonly answers: ReadonlyMap<string, string>;
}

export const initialAsset = (): AssetState => ({
  version: 0,
  fact: null,
  bars: new Map(),
  actions: new Map(),
  answers: new Map(),
});

/**
 * The asset after one more event. Throws a RangeError on a gap, because a history with a hole means
 * nothing.
 */
export function evolveAsset(state: AssetState, event: AnyEvent): AssetState {
  const { version } = event;
  if (version !== state.version + 1)
    throw new RangeError(`version ${version} follows ${state.version}`);
  switch (event.eventType) {
    case "AssetRegistered":
    case "AssetUpdated":
      return { ...state, version, fact: event.payload };
    case "MarketDataIngested":
    case "MarketDataRevised": {
      const { resolution } = event.payload;
      const series = new Map(state.bars.get(resolution));
      for (const fact of barsOf(event)) {
        const bar = fromFact(fact);
        series.set(bar.timestamp, { ...bar, version });
      }
      const actions = new Map(state.actions);
      for (const action of actionsOf(event).map(fromActionFact))
        actions.set(actionKey(action), { ...action, version });
      return { ...state, version, actions, bars: new Map(state.bars).set(resolution, series) };
    }
    case "RecommendationGenerated": {
      const { snapshotHash, recommendationId } = event.payload;
      return {
        ...state,
        version,
        answers: new Map(state.answers).set(snapshotHash, recommendationId),
      };
    }
    default:
      return { ...state, version };
  }
}

/** The state as a view for decisions. */
export const viewOf = (state: AssetState): AssetView => ({
  version: state.version,
  fact: state.fact,
  between: (resolution, from, to) =>
    [...(state.bars.get(resolution)?.values() ?? [])]
      .filter(({ timestamp }) => timestamp >= from && timestamp <= to)
      .sort((a, b) => a.timestamp - b.timestamp),
  actionsBetween: (from, to) =>
    [...state.actions.values()].filter(({ exDate }) => exDate >= from && exDate <= to),
  answerTo: (snapshotHash) => state.answers.get(snapshotHash) ?? null,
});
