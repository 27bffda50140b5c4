/** The standard normal's 97.5 % quantile: two-sided 95 % intervals. */
export const Z95 = 1.959963984540054;

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/**
 * 95 % score interval of a probability after `rate`·n successes in `n` > 0 trials; n need not be
 * whole. Unlike the normal interval it stays within 0..1 and is honest for small samples. Source:
 * E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", JASA 22
 * (1927).
 */
export function wilson(rate: number, n: number): Interval {
  const z2 = Z95 * Z95;
  const centre = (rate + z2 / (2 * n)) / (1 + z2 / n);
  const half = (Z95 / (1 + z2 / n)) * Math.sqrt((rate * (1 - rate)) / n + z2 / (4 * n * n));
  return { low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}
