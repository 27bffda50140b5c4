/**
 * A seeded generator (mulberry32): the same seed gives the same numbers on every machine, because
 * it needs 32-bit integers only.
 */
export const seededUniform = (seed: number): (() => number) => {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
};

/**
 * Standard normal to the eye: twelve uniforms have variance one. Exact methods need logarithms and
 * cosines, whose last digit the language leaves to the machine.
 */
export const seededNormal = (uniform: () => number) => (): number => {
  let sum = -6;
  for (let draw = 0; draw < 12; draw += 1) sum += uniform();
  return sum;
};
