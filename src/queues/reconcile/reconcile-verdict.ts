import {
  actionFor,
  addDifferences,
  comparePosition,
  type Differences,
  describeRows,
  type Finding,
  kindOfRows,
  LOG,
  NO_DIFFERENCES,
  POSITION,
} from "../../domain/reconciliation/divergence.ts";
import type { Run, Step, Walk } from "../../domain/reconciliation/run.ts";
import {
  beginWalk,
  type Leftovers,
  leave,
  logFinding,
  type WalkDeps,
  withWalk,
} from "./reconcile-stream.ts";

/** Repairs of one stream in one run; what still differs afterwards is left to people. */
const MAX_ROUNDS = 2;

/** What the whole of a stream's log, compared with the read model, comes to. */
export async function conclude(run: Run, walk: Walk, deps: WalkDeps): Promise<Step> {
  const { streamId, position } = walk;
  const trusted =
    position.version <= walk.after &&
    (position.hash === null || position.hash === walk.positionHash);
  const witness =
    trusted && position.version > walk.witness.version
      ? { version: position.version, hash: walk.positionHash ?? "" }
      : walk.witness;
  const left = await deps.leftovers(streamId, witness.version, trusted);
  const moved = left.position.version !== position.version || left.position.hash !== position.hash;
  // A mark that cannot be trusted says nothing of what was written since; look again where it
  // stands now.
  if (!trusted && moved) return beginWalk(run, streamId, walk, deps);
  const findings = [
    ...positionFindings(walk, trusted, deps),
    ...rowFindings(walk, left.differences),
    ...(await logFindings(walk, left, deps)),
  ];
  if (findings.length === 0) return healthy(run, walk);
  const atFault = findings.some(({ projection }) => projection === LOG);
  // Only a person who names the asset may have facts dropped that the log does not hold any more.
  const allowed = !atFault || (!walk.inFeed && run.symbols !== null);
  if (!run.repair || !allowed || walk.round >= MAX_ROUNDS)
    return leave(run, streamId, {}, findings);
  const action = actionFor(findings);
  const next: Walk = {
    ...walk,
    // What the feed alone holds has no rows to be rewritten; the events consumer does all there is
    // to do.
    phase: action === "republish" || walk.inFeed ? "republish" : "reset",
    action: walk.round > 0 && action === "republish" ? walk.action : action,
    witness,
  };
  return { cursor: withWalk(run, next), findings };
}

function positionFindings(walk: Walk, trusted: boolean, deps: WalkDeps): Finding[] {
  const { streamId, position, head, waitingSince } = walk;
  const log = { version: walk.after, hashAtPosition: walk.positionHash, waitingSince };
  const kind = comparePosition({ streamId, ...position }, log, deps.now(), deps.graceMs);
  if (kind === null) return [];
  // The feed is all there is of such a stream: if its hash is not the mark's, nothing tells which
  // of them is wrong.
  if (walk.inFeed && !trusted) {
    return [
      logFinding(
        walk,
        `the feed does not add up to what was projected at version ${position.version}`,
        kind,
      ),
    ];
  }
  const detail = `the log reaches version ${head}, the read model says ${position.version}`;
  const other = `at version ${position.version} the read model has another hash than the log`;
  return [
    {
      stream: streamId,
      projection: POSITION,
      kind,
      logVersion: head,
      readVersion: position.version,
      detail: kind === "corrupted" ? other : detail,
    },
  ];
}

function rowFindings(walk: Walk, left: Readonly<Record<string, Differences>>): Finding[] {
  const tables = new Set([...Object.keys(walk.differences), ...Object.keys(left)]);
  return [...tables].flatMap((projection) => {
    const all = addDifferences(
      walk.differences[projection] ?? NO_DIFFERENCES,
      left[projection] ?? NO_DIFFERENCES,
    );
    const kind = kindOfRows(all);
    return kind === null
      ? []
      : [
          {
            stream: walk.streamId,
            projection,
            kind,
            logVersion: walk.head,
            readVersion: walk.position.version,
            detail: describeRows(all),
          },
        ];
  });
}

/**
 * Events that the feed holds and the log does not, or a log that is empty beside a read model: it
 * has lost facts.
 */
async function logFindings(walk: Walk, left: Leftovers, deps: WalkDeps): Promise<Finding[]> {
  const { streamId, position } = walk;
  const { feedVersion } = left;
  const rows = Object.values(left.differences).some(({ ahead }) => ahead > 0);
  const emptied = walk.after === 0 && (position.version > 0 || rows);
  if (walk.inFeed || !(emptied || feedVersion > walk.after)) return [];
  // It may have grown since the walk began.
  const now = await deps.head({ streamId, ...position });
  if (now.version > 0 && feedVersion <= now.version) return [];
  const detail = `the read model has version ${Math.max(feedVersion, position.version)}, the log ends at ${now.version}`;
  return [logFinding(walk, detail, "ahead")];
}

/** Compared whole and found equal: what was open about the stream is settled by that. */
function healthy(run: Run, walk: Walk): Step {
  const { streamId, position, positionHash, round, action } = walk;
  return {
    ...leave(run, streamId, { verified: 1 }),
    settled: {
      streamId,
      version: position.version,
      hash: positionHash,
      action: round > 0 ? action : null,
    },
  };
}
