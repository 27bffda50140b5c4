/**
 * Quantile of a list by linear interpolation between order statistics at (n − 1) · probability (R
 * type 7, the default of R and NumPy). Null for an empty list.
 */
export const quantile = (values: readonly number[], probability: number): number | null => {
  const sorted = values.toSorted((a, b) => a - b);
  const position = (sorted.length - 1) * probability;
  const below = sorted[Math.floor(position)];
  const above = sorted[Math.ceil(position)];
  if (below === undefined || above === undefined) return null;
  return below + (above - below) * (position - Math.floor(position));
};
