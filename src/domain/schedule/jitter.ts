const FNV_OFFSET_BASIS = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/**
 * FNV-1a, 32 bits, over the low bytes of the text's code units and the high bytes that are not
 * zero.
 */
const fnv1a = (text: string): number => {
  let hash = FNV_OFFSET_BASIS;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    hash = Math.imul(hash ^ (unit & 0xff), FNV_PRIME);
    if (unit > 0xff) hash = Math.imul(hash ^ (unit >>> 8), FNV_PRIME);
  }
  return hash >>> 0;
};

/**
 * Delay of a key's work (an asset, a schedule) after its slot, in whole seconds from 0 to
 * `maxSeconds` inclusive.
 *
 * A hash and not random: the same key always lands at the same second, so a replay and a second
 * clock agree, and the keys of a slot spread evenly over the window instead of hitting a price
 * source together.
 */
export const jitterSeconds = (key: string, maxSeconds: number): number => {
  if (!(Number.isInteger(maxSeconds) && maxSeconds >= 0))
    throw new RangeError(`Jitter of up to ${maxSeconds} s`);
  return fnv1a(key) % (maxSeconds + 1);
};
