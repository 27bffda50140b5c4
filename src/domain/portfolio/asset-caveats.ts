import type { AssetCloses } from "./returns.ts";

/** Closes with their currency and source; `source` is `synthetic` for invented ones. */
export interface PricedAsset extends AssetCloses {
  readonly currency: string;
  readonly source: string;
}

export const currenciesOf = (assets: readonly PricedAsset[]): string[] =>
  [...new Set(assets.map(({ currency }) => currency))].toSorted();

/**
 * Caveats about these assets' prices, for readers of statistics over the newest `most` closes of
 * each.
 */
export const assetCaveats = (assets: readonly PricedAsset[], max: number): string[] => {
  const caveats: string[] = [];
  const synthetic = assets
    .filter(({ source }) => source === "synthetic")
    .map(({ symbol }) => symbol);
  const currencies = currenciesOf(assets);
  if (assets.some(({ points }) => points.length >= max)) {
    caveats.push(`Of each asset the newest ${max} closes were read.`);
  }
  if (currencies.length > 1) {
    caveats.push(
      `Returns are in each asset's own currency (${currencies.join(", ")}), without exchange rates.`,
    );
  }
  if (synthetic.length > 0) caveats.push(`The prices of ${synthetic.join(", ")} are invented.`);
  return caveats;
};
