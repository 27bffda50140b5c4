/**
 * Relative size below which a difference of two prices is rounding error of the arithmetic, not a
 * movement.
 */
export const ROUNDING = 1e-12;

/**
 * True if `movement` is nothing but rounding at prices of size `level`. Without it a market that
 * has not moved at all would show a "movement" of 1e-14, and ratios of such movements (RSI, CCI,
 * Sharpe) would be precise numbers without meaning. TA-Lib guards the same places with an absolute
 * 1e-8, which is wrong for an asset that trades at 1e-6; ours is relative.
 */
export const isNoise = (movement: number, level: number): boolean =>
  Math.abs(movement) <= ROUNDING * Math.abs(level);
