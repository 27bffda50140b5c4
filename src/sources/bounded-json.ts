/** A vendor's JSON, or the reason why it is none. */
export type JsonReading =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly reason: string };

const MEGABYTE = 1_048_576;

/** Reads a body of at most `maxBytes` as JSON. Rejects only when the connection does. */
export const readBoundedJson = async (
  response: Response,
  maxBytes: number,
): Promise<JsonReading> => {
  const type = response.headers.get("content-type") ?? "";
  if (!/^application\/(?:[\w.-]+\+)?json\b/i.test(type)) {
    await response.body?.cancel();
    return refused("the answer is not JSON");
  }
  const text = await readBoundedText(response, maxBytes);
  if (text === null) return refused(`the answer is larger than ${maxBytes / MEGABYTE} MB`);
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch {
    return refused("the answer says it is JSON and is not");
  }
};

/** The announced length is ignored: it may be missing, or wrong, or that of the compressed body. */
const readBoundedText = async (response: Response, maxBytes: number): Promise<string | null> => {
  if (response.body === null) return "";
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    bytes += part.value.byteLength;
    if (bytes > maxBytes) {
      await reader.cancel();
      return null;
    }
    text += decoder.decode(part.value, { stream: true });
  }
  return text + decoder.decode();
};

const refused = (reason: string): JsonReading => ({ ok: false, reason });
