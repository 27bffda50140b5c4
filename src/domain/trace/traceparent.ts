/**
 * W3C Trace Context, level 1: the `traceparent` that joins everything with one cause, here and
 * elsewhere. A caller's `tracestate` is read in `tracestate.ts`.
 */

export interface TraceContext {
  /** 32 hexadecimal digits, the same for everything one cause set off. */
  readonly traceId: string;
  /** 16 hexadecimal digits: the piece of work that called. */
  readonly parentId: string;
  readonly sampled: boolean;
}

/** Where new ids come from: 32 and 16 lower-case hexadecimal digits, random, never all zero. */
export interface TraceIds {
  readonly traceId: () => string;
  readonly spanId: () => string;
}

const SHAPE = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const ZEROES = /^0+$/;

/**
 * Reads a `traceparent`; null when it is not one. An unknown version may carry more after its
 * flags, and is read as far as we understand it; version 00 may not, and ff is no version.
 */
export function parseTraceparent(text: string): TraceContext | null {
  const [, version = "ff", traceId = "", parentId = "", flags = "", rest] = SHAPE.exec(text) ?? [];
  if (version === "ff" || (version === "00" && rest !== undefined)) return null;
  if (ZEROES.test(traceId) || ZEROES.test(parentId)) return null;
  return { traceId, parentId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** Always version 00, and of the flags only the one that this version defines. */
export const formatTraceparent = ({ traceId, parentId, sampled }: TraceContext): string =>
  `00-${traceId}-${parentId}-${sampled ? "01" : "00"}`;

/** The same trace with a new parent span. An invalid `traceparent` gives null. */
export function child(traceparent: string, spanId: string): string | null {
  const parent = parseTraceparent(traceparent);
  return parent === null ? null : formatTraceparent({ ...parent, parentId: spanId });
}

/**
 * Carries on the trace of a caller, or starts one when the caller has none or sent something else.
 */
export const continueTrace = (parent: string | null | undefined, ids: TraceIds): string =>
  (parent ? child(parent, ids.spanId()) : null) ?? startTrace(ids.traceId(), ids.spanId());

export const startTrace = (traceId: string, spanId: string): string =>
  formatTraceparent({ traceId, parentId: spanId, sampled: true });

/** The id to search logs for; undefined without a trace. */
export const traceIdOf = (traceparent: string | null | undefined): string | undefined =>
  traceparent ? parseTraceparent(traceparent)?.traceId : undefined;
