import { GENESIS } from "../../domain/events/rolling-hash.ts";
import { type ChainCheck, checkChain } from "../../domain/reconciliation/check-chain.ts";
import { addDifferences, NO_DIFFERENCES } from "../../domain/reconciliation/divergence.ts";
import type { Run, Step, Walk } from "../../domain/reconciliation/run.ts";
import {
  attempt,
  beginWalk,
  leave,
  logFinding,
  MAX_ATTEMPTS,
  RETRY_SECONDS,
  type WalkDeps,
  withWalk,
} from "./reconcile-stream.ts";
import { conclude } from "./reconcile-verdict.ts";

/** Waits for the events consumer: two minutes, telling it again every half. */
const MAX_WAITS = 24;
const WAITS_PER_WAKE_UP = 6;

/** One page, or one act, of the stream in hand. */
export async function walkOn(run: Run, walk: Walk, deps: WalkDeps): Promise<Step> {
  const { streamId } = walk;
  switch (walk.phase) {
    case "check":
      return check(run, walk, deps);
    case "reset":
      return {
        cursor: withWalk(run, {
          ...walk,
          phase: "demote",
          after: 0,
          hash: GENESIS,
          target: walk.witness.version,
          tries: 0,
        }),
        effect: {
          kind: "reset",
          streamId,
          from: walk.position,
          to: isRight(walk) ? null : walk.witness,
        },
      };
    case "demote":
    case "write":
      return rewrite(run, walk, walk.phase, deps);
    case "finish": {
      const next: Walk = {
        ...walk,
        phase: walk.witness.version < walk.head ? "republish" : "check",
      };
      const step: Step =
        next.phase === "check"
          ? await beginWalk(
              run,
              streamId,
              { ...next, phase: "finish", round: walk.round + 1 },
              deps,
            )
          : { cursor: withWalk(run, next) };
      return { ...step, effect: { kind: "finish", streamId } };
    }
    case "republish":
      return {
        cursor: withWalk(run, { ...walk, phase: "wait", target: walk.head, tries: 0 }),
        effect: { kind: "known", streamId, version: walk.head },
        wakeUp: { streamId, version: walk.head },
        delaySeconds: 1,
      };
    case "wait":
      return wait(run, walk, deps);
  }
}

async function check(run: Run, walk: Walk, deps: WalkDeps): Promise<Step> {
  const { streamId, position } = walk;
  const page = await nextPage(run, walk, deps);
  if (!("events" in page)) return page;
  const { events, hashes } = page;
  const projected = events.filter(({ version }) => version <= position.version);
  const beyond = events.slice(projected.length);
  const comparison = await deps.compare(streamId, projected);
  // What is beyond the mark need not be there; but where it is, it was projected once.
  const { witness } = beyond.length === 0 ? comparison : await deps.compare(streamId, beyond);
  const newest = Math.max(witness, comparison.witness);
  const hashOf = (version: number): string | undefined => hashes[version - walk.after - 1];
  const differences = { ...walk.differences };
  for (const [table, found] of Object.entries(comparison.differences)) {
    differences[table] = addDifferences(differences[table] ?? NO_DIFFERENCES, found);
  }
  const next: Walk = {
    ...walk,
    after: walk.after + events.length,
    hash: hashes.at(-1) ?? walk.hash,
    positionHash: walk.positionHash ?? hashOf(position.version) ?? null,
    witness:
      newest > walk.witness.version
        ? { version: newest, hash: hashOf(newest) ?? "" }
        : walk.witness,
    differences,
  };
  return next.after < walk.target ? { cursor: withWalk(run, next) } : conclude(run, next, deps);
}

/** Takes wrong rows of a page out of the way, or writes the right ones. */
async function rewrite(
  run: Run,
  walk: Walk,
  kind: "demote" | "write",
  deps: WalkDeps,
): Promise<Step> {
  const page = await nextPage(run, walk, deps);
  if (!("events" in page)) return page;
  const events = page.events.filter(({ version }) => version <= walk.target);
  const after = walk.after + events.length;
  const done: Walk = {
    ...walk,
    phase: kind === "demote" ? "write" : "finish",
    after: 0,
    hash: GENESIS,
  };
  const hash = page.hashes[events.length - 1] ?? walk.hash;
  return {
    cursor: withWalk(run, after < walk.target ? { ...walk, after, hash } : done),
    effect: { kind, streamId: walk.streamId, events },
  };
}

/**
 * The page of the log where the walk stands, verified; or the step to take when it cannot be had.
 */
async function nextPage(
  run: Run,
  walk: Walk,
  deps: WalkDeps,
): Promise<Extract<ChainCheck, { ok: true }> | Step> {
  const { streamId, after } = walk;
  if (after >= walk.target) return { ok: true, events: [], hashes: [] };
  const page = await attempt(() => deps.readLog(streamId, after), streamId, deps);
  if (page === null) {
    if (walk.tries >= MAX_ATTEMPTS) return leave(run, streamId, { unreachable: 1 });
    return {
      cursor: withWalk(run, { ...walk, tries: walk.tries + 1 }),
      delaySeconds: RETRY_SECONDS,
    };
  }
  const chain = checkChain(streamId, after, walk.hash, page);
  if (!chain.ok) return leave(run, streamId, {}, [logFinding(walk, chain.detail)]);
  if (chain.events.length === 0) {
    return leave(run, streamId, {}, [
      logFinding(walk, `the log ends at ${after}, before ${walk.target}`),
    ]);
  }
  return chain;
}

async function wait(run: Run, walk: Walk, deps: WalkDeps): Promise<Step> {
  const { streamId, target } = walk;
  const position = await deps.position(streamId);
  if (position.version >= target || walk.tries >= MAX_WAITS) {
    return beginWalk(run, streamId, { ...walk, round: walk.round + 1 }, deps);
  }
  const tries = walk.tries + 1;
  return {
    cursor: withWalk(run, { ...walk, tries }),
    ...(tries % WAITS_PER_WAKE_UP === 0 ? { wakeUp: { streamId, version: target } } : {}),
    delaySeconds: RETRY_SECONDS,
  };
}

/** Whether the mark says what was witnessed, and has its hash. */
const isRight = ({ position, witness }: Walk): boolean =>
  position.version === witness.version &&
  (position.version === 0 || position.hash === witness.hash);
