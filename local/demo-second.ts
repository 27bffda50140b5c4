import type { Bar } from "../src/domain/asset/bar.ts";
import { seededUniform } from "./seeded-random.ts";

const DAY = 86_400_000;
/** One bar in so many is missing, or has another close; and the max deviation. */
const MISSING = 1 / 150;
const WRONG = 1 / 60;
const FURTHEST = 0.03;
/** Two vendors hardly ever agree to the last digit. */
const ROUNDING = 0.0002;

/**
 * A second source for a demo series, so that a cross-check has something to find without a network:
 * the same closes with small differences and a few mistakes, invented by a seed that is the bar's
 * own date. It is not independent, and its note says so.
 */
export const secondOpinion = (bars: readonly Bar[]): Bar[] =>
  bars.flatMap(({ timestamp, close }) => {
    const uniform = seededUniform(timestamp / DAY);
    // The first numbers of neighbouring seeds are alike.
    for (let skipped = 0; skipped < 3; skipped += 1) uniform();
    if (uniform() < MISSING) return [];
    const share = uniform() < WRONG ? FURTHEST : ROUNDING;
    const reported = close * (1 + share * (uniform() * 2 - 1));
    return [
      { timestamp, open: null, high: null, low: null, close: fiveDecimals(reported), volume: null },
    ];
  });

const fiveDecimals = (price: number): number => Math.round(price * 100_000) / 100_000;
