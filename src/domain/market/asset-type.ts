export const ASSET_TYPES = ["STOCK", "CRYPTO", "FX"] as const;

export type AssetType = (typeof ASSET_TYPES)[number];
