import { VENDOR_NAMES } from "./vendor.ts";

/** Where an asset's prices may come from. `import` is never asked, only fed. */
export const SOURCES = [...VENDOR_NAMES, "demo", "import"] as const;
