import { serviceOfStream, symbolOfStream } from "../../domain/events/envelope.ts";
import type { LogPage } from "../../domain/reconciliation/check-chain.ts";
import type { LogHead, ProjectedPosition } from "../../domain/reconciliation/divergence.ts";
import { inWaves } from "../../queues/consumer.ts";
import { feedHeads, readFeedRows } from "../../read-model/streams.ts";
import { assetObject, breakerObject, type Platform } from "../platform/platform.ts";

/** Calls of objects at once; a Worker has six connections. */
const AT_ONCE = 6;
const READ_AT_ONCE = 200;

/** The log of a stream that lives in an object. */
interface ObjectLog {
  readonly head: (version: number) => Promise<{
    readonly version: number;
    readonly hashAt: string | null;
    readonly waitingSince: string | null;
  }>;
  readonly read: (after: number) => Promise<LogPage>;
}

/** The object that keeps a stream's log, or null for streams whose log is the feed itself. */
function objectLog({ env }: Platform, streamId: string): ObjectLog | null {
  const symbol = symbolOfStream(streamId);
  if (symbol !== null) {
    return {
      head: (version) => assetObject(env, symbol).compareHead(symbol, version),
      read: (after) => assetObject(env, symbol).readLog(symbol, after, READ_AT_ONCE),
    };
  }
  const service = serviceOfStream(streamId);
  if (service === null) return null;
  return {
    head: (version) => breakerObject(env, service).compareHead(service, version),
    read: (after) => breakerObject(env, service).readLog(service, after, READ_AT_ONCE),
  };
}

const instant = (iso: string | null): number | null => {
  const at = iso === null ? Number.NaN : Date.parse(iso);
  return Number.isNaN(at) ? null : at;
};

/** The heads of these streams' logs; one that cannot be reached is left out. */
export async function logHeads(
  p: Platform,
  positions: readonly ProjectedPosition[],
): Promise<Map<string, LogHead & { readonly inFeed: boolean }>> {
  const heads = new Map<string, LogHead & { readonly inFeed: boolean }>();
  const inObjects = positions.flatMap((position) => {
    const log = objectLog(p, position.streamId);
    return log === null ? [] : [{ position, log }];
  });
  await inWaves(inObjects, AT_ONCE, async ({ position: { streamId, version }, log }) => {
    try {
      const { hashAt, waitingSince, ...head } = await log.head(version);
      heads.set(streamId, {
        version: head.version,
        hashAtPosition: hashAt,
        // An event whose time cannot be read waits for certain; since when does not matter.
        waitingSince: head.version > version ? (instant(waitingSince) ?? 0) : null,
        inFeed: false,
      });
    } catch (error) {
      p.log({ level: "warn", message: "log not reachable", streamId, error: String(error) });
    }
  });
  const inFeed = positions.filter(({ streamId }) => objectLog(p, streamId) === null);
  if (inFeed.length === 0) return heads;
  for (const [streamId, { version, waitingSince }] of await feedHeads(p.env.DB, inFeed)) {
    heads.set(streamId, {
      version,
      hashAtPosition: undefined,
      waitingSince: instant(waitingSince),
      inFeed: true,
    });
  }
  return heads;
}

/** A page of a stream's log after a version, as it stands. */
export async function readLogPage(p: Platform, streamId: string, after: number): Promise<LogPage> {
  const log = objectLog(p, streamId);
  if (log !== null) return log.read(after);
  const rows = await readFeedRows(p.env.DB, streamId, after, READ_AT_ONCE);
  return { rows, hash: undefined, more: rows.length === READ_AT_ONCE };
}
