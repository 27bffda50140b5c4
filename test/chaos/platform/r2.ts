import type { World } from "./world.ts";

const failure = () => new Error("put: We encountered an internal error. Please try again. (10001)");

/** A bucket in memory. */
export class Bucket {
  readonly #world: World;
  readonly objects = new Map<string, string>();

  constructor(world: World) {
    this.#world = world;
  }

  put(key: string, given: string | ArrayBuffer): Promise<unknown> {
    // The simulated clients upload UTF-8.
    const value = typeof given === "string" ? given : new TextDecoder().decode(given);
    return this.#world.callSync("r2", `R2 put ${key}`, failure, () => {
      this.objects.set(key, value);
      return { key, size: value.length, etag: key };
    });
  }

  get(key: string): Promise<unknown> {
    return this.#world.callSync("r2", `R2 get ${key}`, failure, () => {
      const value = this.objects.get(key);
      if (value === undefined) return null;
      return {
        key,
        size: value.length,
        text: async () => value,
        json: async () => JSON.parse(value) as unknown,
        arrayBuffer: async () => new TextEncoder().encode(value).buffer,
        body: new Blob([value]).stream(),
      };
    });
  }

  head(key: string): Promise<unknown> {
    return this.#world.callSync("r2", `R2 head ${key}`, failure, () =>
      this.objects.has(key) ? { key, size: this.objects.get(key)?.length ?? 0 } : null,
    );
  }

  delete(keys: string | string[]): Promise<void> {
    return this.#world.callSync("r2", `R2 delete ${keys}`, failure, () => {
      for (const key of [keys].flat()) this.objects.delete(key);
    });
  }

  list(options: { prefix?: string; limit?: number } = {}): Promise<unknown> {
    return this.#world.callSync("r2", "R2 list", failure, () => ({
      objects: [...this.objects.keys()]
        .filter((key) => key.startsWith(options.prefix ?? ""))
        .sort()
        .slice(0, options.limit ?? 1000)
        .map((key) => ({ key, uploaded: new Date(this.#world.now) })),
      truncated: false,
    }));
  }
}
