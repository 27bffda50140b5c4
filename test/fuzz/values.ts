import fc from "fast-check";
import type { Random } from "./chance.ts";
import type { Described, Schema } from "./operations.ts";
import { isObject, type Pool } from "./pool.ts";

/** Deep enough for every form there is; below it the shortest value that there is. */
const DEEPEST = 8;

const DATES = [
  "2001-01-01",
  "2001-01-15",
  "2001-01-31",
  "2001-02-01",
  "2001-03-01",
  "2001-02-14",
  "2001-02-20T14:30:00Z",
  "2001-02-28T00:00:00+14:00",
  "1970-01-01",
  "0001-01-01",
  "9999-12-31T23:59:59.999-14:00",
];

/** Words that a name asks for and a schema cannot tell. */
const BY_NAME: Readonly<Record<string, readonly string[]>> = {
  from: DATES,
  to: DATES,
  asOf: DATES,
  after: DATES,
  before: DATES,
  exDate: DATES,
  timestamp: DATES,
  expiresAt: ["2099-01-01T00:00:00Z", "2001-01-01"],
  until: DATES,
  patterns: ["never.*", "#", "asset.*.*"],
  expression: ["0 9 * * *", "*/5 * * * 1-5", "0 0 29 2 *"],
  timeZone: ["UTC", "Europe/Madrid", "America/New_York"],
  // Nothing that a delivery could reach, and few that match: the receivers are not what is tried
  // here.
  url: ["http://127.0.0.1:9/hook", "https://127.0.0.1:9/x"],
  pattern: ["#", "asset.*.*", "asset.#", "*.*.RecommendationGenerated", "never.*"],
  names: ["sma50", "sma50,rsi7", "bb20_2.5,macd5_35_5,var95_250", "return"],
  type: ["MarketDataIngested", "RecommendationGenerated", "AssetRegistered"],
  version: ["1", "2"],
  service: ["source:yahoo", "source:demo", "webhook:x"],
  queue: ["inversorai-events", "inversorai-ingest"],
  engine: ["rules", "llm"],
};

/** Makes values that a schema allows, of things that are there where it knows any. */
export class Values {
  private readonly described: Described;
  private readonly pool: Pool;
  private readonly random: Random;

  constructor(described: Described, pool: Pool, random: Random) {
    this.described = described;
    this.pool = pool;
    this.random = random;
  }

  /** A text for a place in a URL. */
  text(name: string, schema: Schema): string {
    const value = this.of(name, schema);
    return typeof value === "string" ? value : String(JSON.stringify(value));
  }

  of(name: string, schema: Schema, depth = 0): unknown {
    const { random } = this;
    const resolved = this.resolve(schema);
    const forms = [resolved["anyOf"], resolved["oneOf"]].find(Array.isArray) as
      | Schema[]
      | undefined;
    if (forms !== undefined && forms.length > 0)
      return this.of(name, random.pick(forms), depth + 1);
    if (resolved["const"] !== undefined) return resolved["const"];
    if (Array.isArray(resolved["enum"]) && resolved["enum"].length > 0)
      return random.pick<unknown>(resolved["enum"]);
    const type = Array.isArray(resolved["type"])
      ? random.pick<unknown>(resolved["type"])
      : resolved["type"];
    switch (type) {
      case "integer":
      case "number":
        return this.number(resolved, type);
      case "boolean":
        return random.is(0.5);
      case "null":
        return null;
      case "array":
        return this.list(name, resolved, depth);
      case "object":
        return this.object(name, resolved, depth);
      default:
        return this.word(name, resolved);
    }
  }

  /** An object with one of its fields made anew, or as it was. */
  varied(value: unknown, schema: Schema): unknown {
    const { properties } = this.resolve(schema);
    if (!isObject(value) || !isObject(properties) || this.random.is(0.3)) return value;
    const name = this.random.pickOr(Object.keys(properties), "");
    const one = properties[name];
    return isObject(one) ? { ...value, [name]: this.of(name, one, 1) } : value;
  }

  private resolve(schema: Schema): Schema {
    const reference = schema["$ref"];
    if (typeof reference !== "string") return schema;
    return this.described.components[reference.split("/").at(-1) ?? ""] ?? {};
  }

  private number(schema: Schema, type: "integer" | "number"): number {
    const { random } = this;
    const end = (key: string, otherwise: number) =>
      typeof schema[key] === "number" ? schema[key] : otherwise;
    const least = end("minimum", end("exclusiveMinimum", 0));
    const most = end("maximum", end("exclusiveMaximum", Math.max(least, 100)));
    if (random.is(0.1)) return random.pick([least, most]);
    // Small numbers are what people write, and what a shared machine can carry out.
    const top = Math.min(most, Math.max(least, 0) + 60);
    return type === "integer"
      ? random.between(least, top)
      : least + (random.below(1_000) / 1_000) * (top - least);
  }

  private list(name: string, schema: Schema, depth: number): unknown[] {
    const prefix = schema["prefixItems"];
    if (Array.isArray(prefix)) return prefix.map((one: Schema) => this.of(name, one, depth + 1));
    const least = typeof schema["minItems"] === "number" ? schema["minItems"] : 0;
    const items = isObject(schema["items"]) ? schema["items"] : {};
    if (depth > DEEPEST) return [];
    // A list of assets names each of them once.
    if (/symbols/i.test(name) && this.pool.symbols.length >= 3)
      return [...new Set(Array.from({ length: 4 }, () => this.random.pick(this.pool.symbols)))];
    return Array.from({ length: least + this.random.below(4) }, () =>
      this.of(name, items, depth + 1),
    );
  }

  private object(name: string, schema: Schema, depth: number): Record<string, unknown> {
    const { random } = this;
    const required = Array.isArray(schema["required"]) ? schema["required"] : [];
    const properties = isObject(schema["properties"]) ? schema["properties"] : {};
    const made: Record<string, unknown> = {};
    for (const [key, one] of Object.entries(properties)) {
      const share = key === "symbol" ? 0.8 : 0.3;
      const isRequested = required.includes(key)
        ? random.is(0.98)
        : depth < DEEPEST && random.is(share);
      if (isRequested && isObject(one)) made[key] = this.of(key, one, depth + 1);
    }
    const others = schema["additionalProperties"];
    if (isObject(others) && Object.keys(properties).length === 0) {
      for (let count = random.below(3); count > 0; count -= 1)
        made[this.symbol()] = this.of(name, others, depth + 1);
    }
    return made;
  }

  private word(name: string, schema: Schema): string {
    const { random } = this;
    if (/symbol/i.test(name)) return this.symbol();
    const pattern = schema["pattern"];
    const fits = (word: string) => typeof pattern !== "string" || new RegExp(pattern).test(word);
    const words = ((Object.hasOwn(BY_NAME, name) ? BY_NAME[name] : undefined) ?? []).filter(fits);
    const known = (this.pool.values.get(name) ?? []).filter(fits);
    if (known.length > 0 && (words.length === 0 || random.is(0.4))) return random.pick(known);
    if (words.length > 0) return random.pick(words);
    const drawn = { seed: random.below(2 ** 31), numRuns: 1 };
    if (typeof pattern === "string")
      return fc.sample(fc.stringMatching(new RegExp(pattern)), drawn)[0] ?? "";
    if (schema["format"] === "uuid") return fc.sample(fc.uuid(), drawn)[0] ?? "";
    const most = typeof schema["maxLength"] === "number" ? Math.min(schema["maxLength"], 30) : 30;
    return fc.sample(fc.string({ minLength: 1, maxLength: most }), drawn)[0] ?? "x";
  }

  private symbol(): string {
    const { random, pool } = this;
    return random.is(0.8) ? random.pickOr(pool.symbols, "FUZZ-A") : `FUZZ-${random.below(30)}`;
  }
}
