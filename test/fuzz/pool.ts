import type { Random } from "./chance.ts";
import type { Operation } from "./operations.ts";

/** As many of a kind are remembered; the oldest are forgotten first. */
const MAX_CACHED = 40;
/** Of one answer, so that a long list does not push out everything else. */
const MAX_TAKEN = 5;

const KEYS = ["id", "symbol", "eventId", "jobId", "service", "slot", "key"];

/** What earlier answers gave away: the addresses of things that are there, cursors, entity tags. */
export class Pool {
  readonly symbols: string[] = [];
  readonly etags: string[] = [];
  readonly values = new Map<string, string[]>();
  /** Bodies that were taken, by route: where a schema cannot tell what goes together, these can. */
  private readonly taken = new Map<string, string[]>();
  private readonly places = new Map<string, string[]>();
  private readonly templates: readonly { readonly path: string; readonly pattern: RegExp }[];

  constructor(operations: readonly Operation[]) {
    const paths = [...new Set(operations.map(({ path }) => path))];
    this.templates = paths.map((path) => ({
      path,
      pattern: new RegExp(`^${path.replaceAll(/\{[^}]+\}/g, "[^/]+")}$`),
    }));
  }

  /** A path for a template, with what is there in as many of its places as are known. */
  fill(template: string, random: Random, otherwise: (name: string) => string): string {
    let path = "";
    let prefix = "";
    for (const part of template.split("/").slice(1)) {
      prefix += `/${part}`;
      if (!part.startsWith("{")) {
        path += `/${part}`;
        continue;
      }
      const known = (this.places.get(prefix) ?? []).filter((place) => place.startsWith(`${path}/`));
      // A child of another parent is tried too: it must not be found.
      const any = known.length > 0 || random.is(0.9) ? known : (this.places.get(prefix) ?? []);
      path =
        any.length > 0 && random.is(0.85)
          ? random.pick(any)
          : `${path}/${encodeURIComponent(otherwise(part.slice(1, -1)).toWellFormed())}`;
    }
    return path;
  }

  /** Learns from a good answer to a request at a path (without its query). */
  learn(path: string, location: string | undefined, etag: string | undefined, text: string): void {
    if (etag !== undefined) remember(this.etags, etag);
    if (location?.startsWith("/api/v1/") === true) this.place(location.slice("/api/v1".length));
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return;
    }
    if (!isObject(value)) return;
    if (typeof value["nextCursor"] === "string") this.keep("cursor", value["nextCursor"]);
    const items = Array.isArray(value["items"]) ? value["items"].slice(0, MAX_TAKEN) : [value];
    for (const item of items.filter(isObject)) {
      for (const key of KEYS) {
        const found = item[key];
        if (typeof found !== "string" || found.length > 300) continue;
        if (key === "symbol" && /^[A-Z0-9.^=_-]{1,32}$/.test(found)) remember(this.symbols, found);
        const name = encodeURIComponent(found.toWellFormed());
        if (key === "jobId") this.place(`/jobs/${name}`);
        else this.place(`${path}/${name}`);
      }
      for (const [key, found] of Object.entries(item))
        if (typeof found === "string" && found.length <= 100) this.keep(key, found);
    }
  }

  /** What is no longer there is asked for less often; that it is gone must be answered too. */
  forget(path: string): void {
    for (const [template, places] of this.places)
      this.places.set(
        template,
        places.filter((place) => place !== path && !place.startsWith(`${path}/`)),
      );
    const symbol = /^\/assets\/([^/]+)$/.exec(path)?.[1];
    const at = symbol === undefined ? -1 : this.symbols.indexOf(decodeURIComponent(symbol));
    if (at >= 0) this.symbols.splice(at, 1);
  }

  /** A body that was taken at a route. */
  take(route: string, text: string): void {
    const list = this.taken.get(route) ?? [];
    this.taken.set(route, list);
    if (text.length < 5_000) remember(list, text);
  }

  /** One of the bodies that were taken at a route; undefined when none was. */
  bodyOf(route: string, random: Random): unknown {
    const text = random.pickOr<string | null>(this.taken.get(route) ?? [], null);
    return text === null ? undefined : (JSON.parse(text) as unknown);
  }

  private keep(key: string, value: string): void {
    const list = this.values.get(key) ?? [];
    this.values.set(key, list);
    remember(list, value);
  }

  private place(path: string): void {
    for (const template of this.templates) {
      if (!template.path.endsWith("}") || !template.pattern.test(path)) continue;
      const list = this.places.get(template.path) ?? [];
      this.places.set(template.path, list);
      remember(list, path);
    }
  }
}

function remember(list: string[], value: string): void {
  if (list.includes(value)) return;
  list.push(value);
  if (list.length > MAX_CACHED) list.shift();
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
