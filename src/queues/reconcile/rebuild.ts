import { type StoredEvent, symbolOfStream } from "../../domain/events/envelope.ts";
import { GENESIS } from "../../domain/events/rolling-hash.ts";
import { checkChain, type LogPage } from "../../domain/reconciliation/check-chain.ts";
import {
  addTableDifference,
  type Rebuild,
  type RebuildCursor,
  type RebuildState,
  type TableDifference,
} from "../../domain/reconciliation/rebuild.ts";
import { within, workContext } from "../../domain/trace/log-context.ts";
import { continueTrace } from "../../domain/trace/traceparent.ts";
import { type ConsumerDeps, text } from "../consumer.ts";
import type { RebuildMessage } from "../messages.ts";

/** One step of a rebuild, decided and not yet taken. */
export interface RebuildStep {
  readonly state: RebuildState;
  readonly cursor: RebuildCursor;
  readonly difference?: TableDifference;
  /** Events whose rows go into the table under construction. */
  readonly events?: readonly StoredEvent[];
  /** An asset whose rows are taken over as they are. */
  readonly keep?: string;
  readonly delaySeconds?: number;
}

export interface RebuildDeps extends Pick<ConsumerDeps, "log" | "trace"> {
  /** The rebuild, or null when there is nothing to be done for it. */
  readonly load: (id: string) => Promise<Rebuild | null>;
  readonly streamsAfter: (streamId: string, limit: number) => Promise<readonly string[]>;
  readonly readLog: (streamId: string, after: number) => Promise<LogPage>;
  /** Whether this code knows all of these events. */
  readonly knows: (events: readonly StoredEvent[]) => boolean;
  readonly compare: (
    projection: string,
    after: string,
  ) => Promise<{ difference: TableDifference; upTo: string | null }>;
  /** One transaction; false when somebody else has carried the rebuild on. */
  readonly take: (rebuild: Rebuild, step: RebuildStep) => Promise<boolean>;
  readonly send: (message: RebuildMessage, delaySeconds: number) => Promise<void>;
}

/** Steps that one message takes; each reads at most 1 MB of log, or compares some thousand rows. */
const STEPS = 10;
const STREAMS_AT_ONCE = 100;
const MAX_ATTEMPTS = 5;
const RETRY_SECONDS = 5;

/** Carries a rebuild on by a bounded piece, and orders the next. */
export async function carryOnRebuild(message: RebuildMessage, given: RebuildDeps): Promise<void> {
  const { rebuildId } = message;
  let expected = message.step;
  let delaySeconds = 0;
  let { traceparent } = message;
  let deps = given;
  for (let taken = 0; taken < STEPS && delaySeconds === 0; taken++) {
    const rebuild = await given.load(rebuildId);
    if (rebuild === null || rebuild.step !== expected) return;
    if (taken === 0) {
      traceparent = continueTrace(rebuild.traceparent ?? traceparent, given.trace);
      deps = { ...given, log: within(given.log, workContext({ rebuildId }, traceparent)) };
    }
    const step =
      rebuild.cursor.phase === "build" ? await build(rebuild, deps) : await compare(rebuild, deps);
    if (!(await deps.take(rebuild, step))) return;
    expected += 1;
    if (step.state !== "building" && step.state !== "comparing") return;
    delaySeconds = step.delaySeconds ?? 0;
  }
  await deps
    .send({ rebuildId, step: expected, traceparent }, delaySeconds)
    .catch((error: unknown) => {
      deps.log({
        level: "warn",
        message: "wake-up message lost; the sweep sends it again",
        error: text(error),
      });
    });
}

/** Writes one page of one asset's log into the new table. */
async function build(rebuild: Rebuild, deps: RebuildDeps): Promise<RebuildStep> {
  const { cursor } = rebuild;
  const stream = cursor.stream ?? (await nextStream(cursor.after, deps));
  if (typeof stream === "string")
    return { state: "building", cursor: { ...cursor, after: stream } };
  if (stream === null)
    return { state: "comparing", cursor: { phase: "compare", after: "", stream: null } };
  const { streamId, after, hash, tries } = stream;
  const done = { phase: "build", after: streamId, stream: null } as const;
  let page: LogPage;
  try {
    page = await deps.readLog(streamId, after);
  } catch (error) {
    deps.log({ level: "warn", message: "log not readable", streamId, error: text(error) });
    if (tries >= MAX_ATTEMPTS) return { state: "building", cursor: done, keep: streamId };
    const again = { ...cursor, stream: { ...stream, tries: tries + 1 } };
    return { state: "building", cursor: again, delaySeconds: RETRY_SECONDS };
  }
  const chain = checkChain(streamId, after, hash, page);
  // From a log that cannot be trusted nothing is rebuilt; what readers have of it stays.
  if (!chain.ok || !deps.knows(chain.events))
    return { state: "building", cursor: done, keep: streamId };
  const last = chain.events.at(-1);
  const next =
    last === undefined || !page.more
      ? done
      : {
          ...cursor,
          stream: { streamId, after: last.version, hash: chain.hashes.at(-1) ?? hash, tries: 0 },
        };
  return { state: "building", cursor: next, events: chain.events };
}

/**
 * The next asset's stream; null at the end, and a mere id when only other streams were found so
 * far.
 */
async function nextStream(
  after: string,
  deps: RebuildDeps,
): Promise<RebuildCursor["stream"] | string> {
  const found = await deps.streamsAfter(after, STREAMS_AT_ONCE);
  const streamId = found.find((one) => symbolOfStream(one) !== null);
  if (streamId !== undefined) return { streamId, after: 0, hash: GENESIS, tries: 0 };
  return found.at(-1) ?? null;
}

async function compare(rebuild: Rebuild, deps: RebuildDeps): Promise<RebuildStep> {
  const { cursor, projection } = rebuild;
  const { difference, upTo } = await deps.compare(projection, cursor.after);
  return {
    state: upTo !== null ? "comparing" : rebuild.auto ? "switched" : "ready",
    cursor: { ...cursor, after: upTo ?? cursor.after },
    difference: addTableDifference(rebuild.difference, difference),
  };
}
