import { isoDay } from "../iso.ts";
import type { ProblemItem } from "../outcome.ts";
import type { AssetCloses } from "./returns.ts";

/**
 * One asset's part of the shared dates. Instants are epoch ms, null when it has no closes at all.
 */
interface AssetCoverage {
  readonly symbol: string;
  readonly closes: number;
  readonly from: number | null;
  readonly to: number | null;
  /** Dates that another asset has and this one lacks. */
  readonly missing: number;
  /** Those among them that every other asset has: without this asset they would be shared. */
  readonly missingAlone: number;
}

/**
 * `shared` dates that all assets have, the first of them (epoch ms), and `dropped` ones that only
 * some have.
 */
export interface Coverage {
  readonly shared: number;
  readonly firstShared: number | null;
  readonly dropped: number;
  readonly assets: readonly AssetCoverage[];
}

/** Which assets keep the dates that all share few. The dates of each asset are distinct. */
export const coverageOf = (assets: readonly AssetCloses[]): Coverage => {
  // Of each date the number of assets that have it, and the sum of their places, which identifies a
  // single one that lacks it.
  const seen = new Map<number, { count: number; places: number }>();
  for (const [place, { points }] of assets.entries()) {
    for (const { timestamp } of points) {
      const date = seen.get(timestamp);
      if (date === undefined) seen.set(timestamp, { count: 1, places: place });
      else {
        date.count += 1;
        date.places += place;
      }
    }
  }
  const allPlaces = (assets.length * (assets.length - 1)) / 2;
  const alone = new Array<number>(assets.length).fill(0);
  let shared = 0;
  let firstShared: number | null = null;
  for (const [timestamp, { count, places }] of seen) {
    if (count === assets.length) {
      shared += 1;
      firstShared = Math.min(firstShared ?? timestamp, timestamp);
    } else if (count === assets.length - 1)
      alone[allPlaces - places] = (alone[allPlaces - places] ?? 0) + 1;
  }
  return {
    shared,
    firstShared,
    dropped: seen.size - shared,
    assets: assets.map(({ symbol, points }, place) => ({
      symbol,
      closes: points.length,
      from: points[0]?.timestamp ?? null,
      to: points.at(-1)?.timestamp ?? null,
      missing: seen.size - points.length,
      missingAlone: alone[place] ?? 0,
    })),
  };
};

/** Each asset with its coverage, the one that reduces the shared dates most first. */
export const whoIsInTheWay = ({ assets }: Coverage): ProblemItem[] =>
  assets
    .toSorted((a, b) => b.missingAlone - a.missingAlone || a.closes - b.closes)
    .map(({ symbol, closes, from, to, missing }) => {
      const range = from === null || to === null ? "" : ` from ${isoDay(from)} to ${isoDay(to)}`;
      return {
        field: symbol,
        reason: `${closes} closes${range}; lacks ${missing} dates that others have`,
      };
    });
