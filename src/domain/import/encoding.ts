/** Character encoding of a file. */
export type Encoding = "UTF-8" | "UTF-16LE" | "UTF-16BE" | "Windows-1252";

/** Sample size for the test whether every second byte is zero. */
const SAMPLE_BYTES = 512;

/**
 * The encoding by the first bytes of a file: a byte order mark, or Western text in UTF-16, where
 * every other byte is zero. Null without such a sign: then the file is UTF-8 if it can be read as
 * that, and Windows-1252 if not, in which any byte is a character.
 */
export const encodingMarked = (bytes: Uint8Array): Exclude<Encoding, "Windows-1252"> | null => {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return "UTF-8";
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "UTF-16LE";
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "UTF-16BE";
  const length = Math.min(SAMPLE_BYTES, bytes.length);
  if (length < 4) return null;
  let even = 0;
  let odd = 0;
  for (let at = 0; at < length; at += 1) {
    if (bytes[at] === 0) {
      if (at % 2 === 0) even += 1;
      else odd += 1;
    }
  }
  const max = length * 0.4;
  if (odd > max && even === 0) return "UTF-16LE";
  if (even > max && odd === 0) return "UTF-16BE";
  return null;
};
