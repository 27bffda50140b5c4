import { sha256 } from "@noble/hashes/sha2.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";
import type { PromptVersion } from "./prompt.ts";
import type { Provider } from "./reply.ts";

/** One way to get a recommendation, of which an installation may have several side by side. */
export type Variant = {
  readonly name: string;
  /** Its share of the assets, relative to the others' weights; 0 for none. */
  readonly weight: number;
} & (
  | { readonly engine: "rules" }
  | {
      readonly engine: "llm";
      /** Null while none is configured. */
      readonly provider: Provider | null;
      readonly model: string;
      readonly promptVersion: PromptVersion;
    }
);

export const RULES_ONLY: readonly Variant[] = [{ name: "rules", weight: 1, engine: "rules" }];

/** 48 bits of the hash as a number strictly between 0 and 1. */
const pointOf = (name: string, symbol: string): number => {
  const bytes = sha256(utf8ToBytes(JSON.stringify([name, symbol])));
  const bits = bytes.slice(0, 6).reduce((sum, byte) => sum * 256 + byte, 0);
  return (bits + 0.5) / 2 ** 48;
};

/**
 * The variant of an asset, always the same. Each variant draws weight ÷ −ln(hash of its name and
 * the symbol), and the highest draw wins (weighted rendezvous hashing: Schindelhauer & Schomaker
 * 2005), so shares follow the weights, and a variant that comes, goes or grows moves only the
 * assets it wins or loses.
 */
export const variantOf = (variants: readonly Variant[], symbol: string): Variant => {
  let best = RULES_ONLY[0] as Variant;
  let highest = Number.NEGATIVE_INFINITY;
  for (const variant of variants) {
    if (!(variant.weight > 0)) continue;
    const draw = variant.weight / -Math.log(pointOf(variant.name, symbol));
    if (draw > highest) {
      highest = draw;
      best = variant;
    }
  }
  return best;
};
