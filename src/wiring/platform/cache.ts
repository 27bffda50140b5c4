import { inTime } from "../../timeout.ts";
import type { Platform } from "./platform.ts";

/** The cache is there to save time: one that takes longer is passed over. */
const CACHE_TIMEOUT_MS = 500;
const CACHE_SECONDS = 86_400;

/**
 * Answers that follow wholly from what `about` names (versions included) are computed once per data
 * centre and code version, and kept for a day at most in Cloudflare's Cache API. Where there is no
 * cache, or it is out, they are computed.
 */
export const cached =
  ({ config, log }: Platform) =>
  async <T>(about: readonly string[], compute: () => Promise<T>): Promise<T> => {
    const cache = cacheOfHere();
    if (cache === null) return compute();
    const path = [config.CODE_VERSION, ...about].map(encodeURIComponent).join("/");
    const key = `https://computed.inversorai.invalid/${path}`;
    const skipped = (error: unknown) =>
      log({ level: "warn", message: "cache passed over", error: String(error) });
    try {
      const found = await inTime(cache.match(key), CACHE_TIMEOUT_MS, "the cache");
      if (found !== undefined) return (await found.json()) as T;
    } catch (error) {
      skipped(error);
    }
    const value = await compute();
    const answer = Response.json(value, {
      headers: { "cache-control": `max-age=${CACHE_SECONDS}` },
    });
    await inTime(cache.put(key, answer), CACHE_TIMEOUT_MS, "the cache").catch(skipped);
    return value;
  };

/** Not every runtime that speaks our bindings has one. */
function cacheOfHere(): Cache | null {
  const { caches } = globalThis as { readonly caches?: CacheStorage };
  return caches?.default ?? null;
}
