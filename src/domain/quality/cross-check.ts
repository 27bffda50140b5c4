import type { AssetType } from "../market/asset-type.ts";
import { splitLike } from "./split-like.ts";

/** Max newest stored bars of one check. */
export const MAX_CHECKED = 400;

/** Of the differences so many are named, the worst; the counts are of all. */
const MAX_LISTED = 50;

/**
 * Tolerance for two equal closes, in basis points (1/100 %): vendors round, and close at other
 * moments.
 */
export const TOLERANCE_BPS: Readonly<Record<AssetType, number>> = { STOCK: 50, CRYPTO: 50, FX: 30 };

/** Up to this share of different closes a source loses no quality. */
const TOLERATED_SHARE = 0.05;

/**
 * Min common bars: fewer cannot tell another scale from mistakes, and a scale is that of nearly all
 * of them.
 */
const MIN_COMMON_BARS = 3;
const NEARLY_ALL = 0.9;
/** Ratios of one scale lie so close together, and the scale so far from 1. */
const ALIKE = 0.01;
const APART = 0.02;

/** A close at a key (epoch ms). */
export interface Close {
  readonly timestamp: number;
  readonly close: number;
}

interface BarDifference {
  readonly timestamp: number;
  readonly kind: "missingHere" | "missingThere" | "close";
  readonly ours: number | null;
  readonly theirs: number | null;
  /**
   * Distance of the other close from ours, in basis points of ours, after their scale was taken
   * out; null where one is missing.
   */
  readonly bps: number | null;
}

/** The factor between the other source's closes and ours, when all have the same. */
interface OtherScale {
  readonly factor: number;
  readonly looksLike: "hundredths" | "split" | "unknown";
}

/** Result of comparing two series' closes by their keys. */
export interface Comparison {
  /** Bars that both have. */
  readonly compared: number;
  /** Of these, closes further apart than tolerated. */
  readonly differing: number;
  readonly missingHere: number;
  readonly missingThere: number;
  readonly scale: OtherScale | null;
  readonly toleranceBps: number;
  readonly worst: readonly BarDifference[];
}

/** The stored part of a cross-check. Instants are epoch ms. */
export interface CrossCheckResult extends Comparison {
  readonly source: string;
  readonly ownSource: string;
  readonly from: number;
  readonly to: number;
  /** Of the asset's stream: the bars that were checked are true of it. */
  readonly streamVersion: number;
  readonly checkedAt: number;
  readonly notes: readonly string[];
}

/**
 * Compares our closes with another source's, bar by bar. A scale of its own is named and taken out
 * first.
 */
export function compareCloses(
  ours: readonly Close[],
  theirs: readonly Close[],
  toleranceBps: number,
): Comparison {
  const there = new Map(theirs.map(({ timestamp, close }) => [timestamp, close]));
  const here = new Set(ours.map(({ timestamp }) => timestamp));
  const scale = scaleOf(ours, there);
  const found: BarDifference[] = [];
  let compared = 0;
  for (const { timestamp, close } of ours) {
    const other = there.get(timestamp);
    if (other === undefined) {
      found.push({ timestamp, kind: "missingThere", ours: close, theirs: null, bps: null });
      continue;
    }
    compared += 1;
    const bps = (other / (scale?.factor ?? 1) / close - 1) * 10_000;
    if (!(Math.abs(bps) <= toleranceBps))
      found.push({ timestamp, kind: "close", ours: close, theirs: other, bps });
  }
  for (const { timestamp, close } of theirs)
    if (!here.has(timestamp))
      found.push({ timestamp, kind: "missingHere", ours: null, theirs: close, bps: null });
  const count = (kind: BarDifference["kind"]) => found.filter((one) => one.kind === kind).length;
  return {
    compared,
    differing: count("close"),
    missingHere: count("missingHere"),
    missingThere: count("missingThere"),
    scale,
    toleranceBps,
    worst: found.toSorted(byWeight).slice(0, MAX_LISTED),
  };
}

/** Closes that differ first, the furthest first; then gaps, the newest first. */
const byWeight = (a: BarDifference, b: BarDifference): number =>
  Math.abs(b.bps ?? 0) - Math.abs(a.bps ?? 0) || b.timestamp - a.timestamp;

function scaleOf(ours: readonly Close[], there: ReadonlyMap<number, number>): OtherScale | null {
  const ratios = ours.flatMap(({ timestamp, close }) => {
    const other = there.get(timestamp);
    return other === undefined || !(close > 0) || !(other > 0) ? [] : [other / close];
  });
  const factor = ratios.toSorted((a, b) => a - b)[Math.floor(ratios.length / 2)];
  if (factor === undefined || ratios.length < MIN_COMMON_BARS || isNear(factor, 1, APART))
    return null;
  const alike = ratios.filter((ratio) => isNear(ratio, factor, ALIKE)).length;
  if (alike < NEARLY_ALL * ratios.length) return null;
  if (isNear(factor, 100, ALIKE) || isNear(factor, 0.01, ALIKE))
    return { factor, looksLike: "hundredths" };
  return { factor, looksLike: splitLike(factor, ALIKE) === null ? "unknown" : "split" };
}

const isNear = (value: number, other: number, by: number): boolean =>
  Math.abs(value / other - 1) < by;

/**
 * Agreement of two sources, 0 … 1: the share of compared closes that agree, or 1 while no more than
 * the tolerated share does not. Another scale alone is no disagreement about what the market did.
 */
export const agreementOf = ({
  compared,
  differing,
}: Pick<Comparison, "compared" | "differing">): number => {
  const share = compared === 0 ? 0 : differing / compared;
  return share > TOLERATED_SHARE ? 1 - share : 1;
};
