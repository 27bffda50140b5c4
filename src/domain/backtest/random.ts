/** Fractions from [0, 1), one per call; the same seed gives the same ones. */
export type Random = () => number;

/**
 * Mulberry32 (T. Ettinger, 2017, public domain): 32 bits of state, period 2³², passes gjrand.
 * Enough to shuffle and resample a few million times; not for secrets. `seed` is taken modulo 2³².
 */
export const randomFrom = (seed: number): Random => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

/** A whole number from 0 to `count` − 1. */
export const below = (count: number, random: Random): number => Math.floor(random() * count);
