/** Answers are a few KB. A larger one is none, and must not fill an isolate's memory. */
export const MAX_ANSWER_BYTES = 262_144;

/** The answer was larger than any answer of a model. */
class AnswerTooLarge extends Error {
  override readonly name = "AnswerTooLarge";
}

/**
 * `fetch` for a model's endpoint: it never follows a redirect, which would carry the key to another
 * host, and reads at most MAX_ANSWER_BYTES. `onTooLarge` reports an overflow, because libraries
 * wrap the errors thrown here.
 */
export const boundedFetch =
  (fetch: typeof globalThis.fetch, onTooLarge: () => void): typeof globalThis.fetch =>
  async (input, init) => {
    const response = await fetch(input, { ...init, redirect: "manual" });
    const { body, status, headers } = response;
    if (body === null) return response;
    const parts: Uint8Array[] = [];
    let bytes = 0;
    const reader = body.getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      bytes += part.value.byteLength;
      if (bytes > MAX_ANSWER_BYTES) {
        onTooLarge();
        await reader.cancel();
        throw new AnswerTooLarge(`the answer is larger than ${MAX_ANSWER_BYTES} bytes`);
      }
      parts.push(part.value);
    }
    const kept = new Headers(headers);
    // The body is no longer compressed, nor of the announced length.
    for (const name of ["content-encoding", "content-length", "transfer-encoding"])
      kept.delete(name);
    return new Response(joined(parts, bytes), { status, headers: kept });
  };

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}
