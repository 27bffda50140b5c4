import { registerHooks } from "node:module";

/*
 * Lets plain Node load the shipped Worker: a small module replaces the platform's own, and the one
 * library with state between calls (UUIDv7 keeps its last instant) keeps it where a run can reset
 * it.
 */

const STAND_IN = new URL("./cloudflare-workers.ts", import.meta.url).href;
const UUID_STATE = "const _state = {};";

declare global {
  var chaosUuidState: { msecs?: number; seq?: number } | undefined;
}

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === "cloudflare:workers"
      ? { url: STAND_IN, format: "module-typescript", shortCircuit: true }
      : next(specifier, context),
  load: (url, context, next) => {
    const loaded = next(url, context);
    if (!/\/uuid\/[^/]+\/v7\.js$/.test(url)) return loaded;
    const source = loaded.source?.toString() ?? "";
    if (!source.includes(UUID_STATE))
      throw new Error("uuid keeps its state elsewhere now; see platform/hooks.ts");
    return {
      ...loaded,
      source: source.replace(UUID_STATE, "const _state = (globalThis.chaosUuidState = {});"),
    };
  },
});

/** Forgets the last UUIDv7, so that a run does not depend on the runs before it. */
export function forgetUuids(): void {
  const state = globalThis.chaosUuidState;
  if (state === undefined) throw new Error("uuid was loaded past the hook of platform/hooks.ts");
  delete state.msecs;
  delete state.seq;
}
