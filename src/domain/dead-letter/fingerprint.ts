import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import type { Problem } from "../outcome.ts";

/** The first part of a detail tells causes apart; the rest is often a vendor's error page. */
const DETAIL_CHARACTERS = 200;

/** Characters of a symbol, so that "A" is not found inside "AAPL". */
const OF_SYMBOLS = /[A-Z0-9.\-_=^]+/g;

/** An HTTP status, as our texts name one. */
const STATUS = /\b(HTTP|answered) ([1-5]\d\d)\b/g;

/**
 * A refusal names its cause by its status (a wrong key is not a wrong address); among the 5xx of an
 * unavailable server the choice is random. Spelt without digits, since those are left out.
 */
const statusWord = (status: string): string =>
  status.startsWith("4")
    ? `status-${[...status].map((digit) => "abcdefghij"[Number(digit)]).join("")}`
    : `status-class-${"abcdefghij"[Number(status[0])]}`;

/**
 * An error's text without its variable parts: numbers, instants, ids (every word with a digit in
 * it) and the symbol. Of an HTTP status the cause stays: 404 is not 500, but 502 is 503. "AAPL:
 * HTTP 503 after 12 s" and "MSFT: HTTP 502 after 9 s" are the same.
 */
export function normalisedDetail(detail: string, symbol: string | null): string {
  const without =
    symbol === null ? detail : detail.replace(OF_SYMBOLS, (word) => withoutSymbol(word, symbol));
  return without
    .replace(STATUS, (_, words: string, status: string) => `${words} ${statusWord(status)}`)
    .replace(/[\w.:+-]+/g, (word) => (/\d/.test(word) ? "#" : word))
    .replace(/#(?:[\s,;:|/-]*#)+/g, "#")
    .replace(/\s+/g, " ")
    .trim()
    .toLowerCase()
    .slice(0, DETAIL_CHARACTERS);
}

/** A full stop or a dash at its end belongs to the sentence. */
const withoutSymbol = (word: string, symbol: string): string =>
  word === symbol || (word.startsWith(symbol) && /^[.\-_=^]+$/.test(word.slice(symbol.length)))
    ? "#"
    : word;

/**
 * The same 16 hex digits for all dead letters of one cause: same queue, same code, same words; of
 * deliveries also the same receiver (the id of the endpoint).
 */
export const fingerprintOf = (
  queue: string,
  error: Problem,
  symbol: string | null,
  receiver: string | null = null,
): string => {
  const cause = [queue, error.code, normalisedDetail(error.detail, symbol)];
  return bytesToHex(
    sha256(utf8ToBytes(JSON.stringify(receiver === null ? cause : [...cause, receiver]))),
  ).slice(0, 16);
};
