/** Fewer returns than this are mostly chance: a covariance of them says little. */
export const FEW_RETURNS = 60;

/**
 * How many returns weights are usually kept for: a month of them, at least one. Of days 21, or 30
 * where every day counts; of weeks 4; of months 1; of shorter bars what the calendars have of them.
 * `periodsPerYear` as in `indicators/periods-per-year.ts`.
 */
export const usualStep = (periodsPerYear: number): number =>
  Math.max(1, Math.round(periodsPerYear / 12));

/**
 * How many of so many returns are usually learnt from: a year, but no fewer than say something (of
 * weeks and months 60), and never more than half, so that as many are left to try on.
 */
export const usualWindow = (periodsPerYear: number, returns: number): number =>
  Math.min(Math.max(FEW_RETURNS, Math.round(periodsPerYear)), Math.floor(returns / 2));
