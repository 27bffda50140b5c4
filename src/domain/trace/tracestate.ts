/**
 * W3C Trace Context, level 1, section 3.3: vendor data of a caller's tracing systems. None of ours
 * writes one, so it is propagated unchanged; blanks around its members and empty members are left
 * out.
 */

/** "There can be a maximum of 32 list-members in a list." */
const MAX_MEMBERS = 32;
/**
 * Min characters that every implementation has to propagate; beyond it we leave whole members out.
 */
const MAX_CHARACTERS = 512;
/** When it is too long, members longer than this go first. */
const LONG_MEMBER = 128;

const KEY = /^(?:[a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})$/;
/** Printable ASCII without comma and equals sign, not ending in a blank. */
const VALUE = /^[ -+\--<>-~]{0,255}[!-+\--<>-~]$/;

/**
 * A `tracestate` to propagate, or null when there is none; an invalid one is dropped whole. Several
 * headers are joined by commas, as HTTP joins them.
 */
export function readTracestate(text: string): string | null {
  const members: string[] = [];
  const keys = new Set<string>();
  for (const part of text.split(",")) {
    const member = withoutBlanks(part);
    if (member === "") continue;
    const equals = member.indexOf("=");
    const key = member.slice(0, Math.max(equals, 0));
    if (!KEY.test(key) || !VALUE.test(member.slice(equals + 1))) return null;
    if (keys.has(key) || members.length === MAX_MEMBERS) return null;
    keys.add(key);
    members.push(member);
  }
  const kept = shortened(members);
  return kept.length === 0 ? null : kept.join(",");
}

/** Optional white space is the space and the tab, and only around members. */
function withoutBlanks(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && isBlank(text[start])) start += 1;
  while (end > start && isBlank(text[end - 1])) end -= 1;
  return text.slice(start, end);
}

const isBlank = (character: string | undefined): boolean => character === " " || character === "\t";

/**
 * As many members as may be carried: of those that are too many the long ones go first, and each
 * time the last.
 */
function shortened(members: readonly string[]): readonly string[] {
  const kept = [...members];
  while (kept.join(",").length > MAX_CHARACTERS) {
    const long = kept.findLastIndex((member) => member.length > LONG_MEMBER);
    kept.splice(long === -1 ? kept.length - 1 : long, 1);
  }
  return kept;
}
