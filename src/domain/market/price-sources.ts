/** Where an asset's prices may come from. `import` is never asked, only fed. */
export const SOURCES = [
  "yahoo",
  "coinbase",
  "kraken",
  "frankfurter",
  "twelvedata",
  "tiingo",
  "demo",
  "import",
] as const;
