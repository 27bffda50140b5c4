import "./platform/hooks.ts";
import "./platform/globals.ts";
import type { ShippedWorker } from "./platform/system.ts";

/**
 * Loads the Worker as it is shipped. Hooks and globals have to be in place before, hence the import
 * at run time.
 */
export async function loadWorker(): Promise<ShippedWorker> {
  const module: unknown = await import("../../src/worker.ts" as string);
  return module as ShippedWorker;
}
