import { findDemoSeries } from "./demo-catalogue.ts";

/**
 * The origin that is shown with an asset's numbers: its source, or `synthetic` for an invented demo
 * series.
 */
export const barSource = (asset: { readonly symbol: string; readonly source: string }): string =>
  asset.source === "demo" ? (findDemoSeries(asset.symbol)?.source ?? "demo") : asset.source;
