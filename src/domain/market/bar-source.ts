import { findDemoSeries } from "./demo-catalogue.ts";

/**
 * What stands beside an asset's numbers as their origin: its source, or `synthetic` for an invented
 * demo series.
 */
export const barSource = (asset: { readonly symbol: string; readonly source: string }): string =>
  asset.source === "demo" ? (findDemoSeries(asset.symbol)?.source ?? "demo") : asset.source;
