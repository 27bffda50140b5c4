/** Fewer returns than this are mostly random: a covariance of them means little. */
export const FEW_RETURNS = 60;

/**
 * Default number of returns between two choices of weights: a month of them, min one. Of days 21,
 * or 30 where every day counts; of weeks 4; of months 1; of shorter bars what the calendars have of
 * them. `periodsPerYear` as in `indicators/periods-per-year.ts`.
 */
export const usualStep = (periodsPerYear: number): number =>
  Math.max(1, Math.round(periodsPerYear / 12));

/**
 * Default number of returns to learn from, given so many: a year, but no fewer than are meaningful
 * (of weeks and months 60), and never more than half, so that as many are left to test on.
 */
export const usualWindow = (periodsPerYear: number, returns: number): number =>
  Math.min(Math.max(FEW_RETURNS, Math.round(periodsPerYear)), Math.floor(returns / 2));
