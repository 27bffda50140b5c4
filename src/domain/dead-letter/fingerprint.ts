import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import type { Problem } from "../outcome.ts";

/** Of a detail this much tells causes apart; what follows is mostly somebody else's page. */
const DETAIL_CHARACTERS = 200;

/** What a symbol may be made of, so that "A" is not found inside "AAPL". */
const OF_SYMBOLS = /[A-Z0-9.\-_=^]+/g;

/**
 * What an error says without what is different each time: numbers, instants, ids (every word with a digit in it) and
 * the symbol. "AAPL: HTTP 503 after 12 s" and "MSFT: HTTP 502 after 9 s" are the same.
 */
export function normalisedDetail(detail: string, symbol: string | null): string {
  const without =
    symbol === null ? detail : detail.replace(OF_SYMBOLS, (word) => withoutSymbol(word, symbol));
  return without
    .replace(/[\w.:+-]+/g, (word) => (/\d/.test(word) ? "#" : word))
    .replace(/#(?:[\s,;:|/-]*#)+/g, "#")
    .replace(/\s+/g, " ")
    .trim()
    .toLowerCase()
    .slice(0, DETAIL_CHARACTERS);
}

/** A full stop or a dash at its end belongs to the sentence. */
const withoutSymbol = (word: string, symbol: string): string =>
  word === symbol || (word.startsWith(symbol) && /^[.\-_=^]+$/.test(word.slice(symbol.length))) ? "#" : word;

/** The same 16 hex digits for all letters of one cause: same queue, same code, same words. */
export const fingerprintOf = (queue: string, error: Problem, symbol: string | null): string =>
  bytesToHex(
    sha256(utf8ToBytes(JSON.stringify([queue, error.code, normalisedDetail(error.detail, symbol)]))),
  ).slice(0, 16);
