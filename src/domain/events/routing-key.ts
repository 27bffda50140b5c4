/**
 * Routing keys and AMQP topic patterns (AMQP 0-9-1, "topic" exchange): words separated by dots, `*`
 * stands for exactly one word, `#` for any number of words, none included.
 */

const MAX_PATTERN_LENGTH = 256;
const MAX_WORDS = 16;

/** `asset/BRK.B` + `MarketDataIngested` → `asset.BRK%2EB.MarketDataIngested`. */
export function routingKey(streamId: string, eventType: string): string {
  const cut = streamId.indexOf("/");
  const aggregate = cut < 0 ? streamId : streamId.slice(0, cut);
  const id = cut < 0 ? "" : streamId.slice(cut + 1);
  return `${aggregate}.${id.replaceAll("%", "%25").replaceAll(".", "%2E")}.${eventType}`;
}

/** The reason why a pattern cannot be used, or null when it can. */
export function patternProblem(pattern: string): string | null {
  if (pattern === "") return "a pattern needs at least one word; use # for everything";
  if (pattern.length > MAX_PATTERN_LENGTH)
    return `a pattern has at most ${MAX_PATTERN_LENGTH} characters`;
  const words = pattern.split(".");
  if (words.length > MAX_WORDS) return `a pattern has at most ${MAX_WORDS} words`;
  for (const word of words) {
    if (word === "") return "a word between dots is empty";
    if (word === "*" || word === "#") continue;
    if (/[*#]/.test(word)) return `* and # must be whole words between dots, not inside "${word}"`;
    if (/\s/.test(word)) return `"${word}" has white space in it`;
  }
  return null;
}

/**
 * True if the pattern covers the key. Dynamic programming over words, so `#.#.#.#` costs no more
 * than its length.
 */
export function matchesPattern(pattern: string, key: string): boolean {
  const words = key.split(".");
  let reachable = new Set<number>([0]);
  for (const part of pattern.split(".")) {
    const next = new Set<number>();
    for (const at of reachable) {
      if (part === "#") for (let to = at; to <= words.length; to++) next.add(to);
      else if (at < words.length && (part === "*" || part === words[at])) next.add(at + 1);
    }
    reachable = next;
  }
  return reachable.has(words.length);
}
