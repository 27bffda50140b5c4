import { VENDOR_NAMES } from "./vendor.ts";

/** Sources of an asset's prices. `import` is never polled; it only receives uploads. */
export const SOURCES = [...VENDOR_NAMES, "demo", "import"] as const;
