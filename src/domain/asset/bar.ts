/**
 * One period of one asset.
 *
 * `timestamp` is epoch milliseconds of the period's key: for 1d the session's date at 00:00 UTC,
 * for 1w the Monday, for 1mo the first of the month, for shorter resolutions the instant the period
 * opens. Prices are in the asset's currency, unrounded. A close-only series (a reference rate, an
 * index close) has `open`, `high` and `low` null together: an unknown range is not a range of zero.
 * `volume` is null when the source has none.
 */
export interface Bar {
  readonly timestamp: number;
  readonly open: number | null;
  readonly high: number | null;
  readonly low: number | null;
  readonly close: number;
  readonly volume: number | null;
}
