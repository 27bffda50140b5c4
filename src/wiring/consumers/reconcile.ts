import { ALERTS_SERVICE, modelService, sourceService } from "../../domain/breaker/service.ts";
import {
  type AnyEvent,
  assetStream,
  type NewEvent,
  reconciliationStream,
  type StoredEvent,
  toStoredEvent,
} from "../../domain/events/envelope.ts";
import { upcast } from "../../domain/events/upcast.ts";
import { SOURCES } from "../../domain/market/price-sources.ts";
import { PROVIDERS } from "../../domain/recommendation/llm/reply.ts";
import {
  actionFor,
  type Finding,
  type ProjectedPosition,
} from "../../domain/reconciliation/divergence.ts";
import { type Effect, NO_COUNTS, type Run, type Step } from "../../domain/reconciliation/run.ts";
import { text } from "../../queues/consumer.ts";
import type { ReconcileDeps } from "../../queues/reconcile/reconcile.ts";
import {
  compareRange,
  type EventRange,
  findLeftovers,
  type Owner,
  ownerOfStream,
} from "../../read-model/compare.ts";
import { projectFeed } from "../../read-model/projections.ts";
import {
  demoteUnjustified,
  dropBeyond,
  dropDemoted,
  POSITION_MOVED,
  setPosition,
  writeRange,
} from "../../read-model/repair.ts";
import {
  leastVerified,
  marksAfter,
  marksOf,
  noteKnown,
  noteVerified,
} from "../../read-model/streams.ts";
import {
  closeDivergences,
  openDivergences,
  writeDivergences,
} from "../../records/operations/divergence-records.ts";
import {
  countDivergences,
  loadRun,
  STEP_TAKEN,
  takeStep,
} from "../../records/operations/reconciliation-records.ts";
import { logHeads, readLogPage } from "../operations/stream-logs.ts";
import { breakerObject, fileUnreadable, type Platform, traced } from "../platform/platform.ts";

export function reconcileDeps(p: Platform): ReconcileDeps {
  const { DB } = p.env;
  const head = async (position: ProjectedPosition) => {
    const found = (await logHeads(p, [position])).get(position.streamId);
    if (found === undefined) throw new Error(`the log of ${position.streamId} cannot be reached`);
    return found;
  };
  const markOf = async (streamId: string): Promise<ProjectedPosition> =>
    (await marksOf(DB, [streamId]))[0] ?? { streamId, version: 0, hash: null };
  return {
    now: p.now,
    log: p.log,
    trace: p.trace,
    fileUnreadable: fileUnreadable(p),
    graceMs: p.config.SWEEP_AFTER_SECONDS * 1000,
    load: (id) => loadRun(DB, id),
    marksAfter: (streamId, limit) => marksAfter(DB, streamId, limit, SERVICES),
    marksOf: (symbols) => marksOf(DB, symbols.map(assetStream)),
    heads: (positions) => logHeads(p, positions),
    divergedOf: async (streamIds) =>
      new Set((await openDivergences(DB, streamIds)).map(({ stream }) => stream)),
    leastVerified: (before) => leastVerified(DB, before, p.config.RECONCILE_DEEP_STREAMS),
    position: markOf,
    head,
    readLog: (streamId, after) => readLogPage(p, streamId, after),
    compare: async (streamId, events) => {
      const range = await rangeOf(p, streamId, events);
      return range === null ? { differences: {}, witness: 0 } : compareRange(DB, range);
    },
    leftovers: async (streamId, witness, trusted) => {
      const of = ownerOfStream(streamId);
      const { version, hash } = await markOf(streamId);
      if (of === null) return { position: { version, hash }, differences: {}, feedVersion: 0 };
      const [differences, feed] = await Promise.all([
        findLeftovers(DB, of, witness, trusted),
        DB.prepare("SELECT max(version) AS version FROM events WHERE stream_id = ?")
          .bind(streamId)
          .first<{ version: number | null }>(),
      ]);
      return { position: { version, hash }, differences, feedVersion: feed?.version ?? 0 };
    },
    take: (run, step) => take(p, run, step),
    send: async (message, delaySeconds) => {
      await p.env.RECONCILE_QUEUE.send(message, { delaySeconds });
    },
  };
}

/** Services whose breakers may have a log although nothing in the read model speaks of it. */
const SERVICES = [
  ...SOURCES.filter((source) => source !== "import").map(sourceService),
  ...PROVIDERS.map(modelService),
  ALERTS_SERVICE,
];

async function rangeOf(
  p: Platform,
  streamId: string,
  stored: readonly StoredEvent[],
): Promise<EventRange | null> {
  const of = ownerOfStream(streamId);
  if (of === null) return null;
  const events = stored.map(upcast);
  return { ...of, stored, events, openSince: await openSinceBefore(p, of, events) };
}

/** Since when a breaker was open before these events, epoch ms; read from its log if it matters. */
async function openSinceBefore(
  { env }: Platform,
  of: Owner,
  events: readonly AnyEvent[],
): Promise<number | null> {
  const turn = events.find(
    ({ eventType }) => eventType === "CircuitOpened" || eventType === "CircuitClosed",
  );
  const before = (events[0]?.version ?? 1) - 1;
  if (!("service" in of) || turn?.eventType !== "CircuitOpened" || before === 0) return null;
  const since = await breakerObject(env, of.service).openSince(of.service, before);
  return since === null ? null : Date.parse(since);
}

async function take(p: Platform, run: Run, step: Step): Promise<"taken" | "lost" | "moved"> {
  const { DB } = p.env;
  const now = p.now();
  const { found, facts, closed } = await report(p, run, step);
  const heads =
    facts.length === 0
      ? []
      : [{ streamId: reconciliationStream(run.id), version: run.facts + facts.length }];
  const { settled } = step;
  try {
    await DB.batch([
      takeStep(DB, run, {
        cursor: step.cursor,
        counts: { ...NO_COUNTS, ...step.counts },
        facts: facts.length,
        done: step.done === true,
        dueAt: now + (step.delaySeconds ?? 0) * 1000,
        now,
      }),
      ...(step.effect === undefined ? [] : await effectStatements(p, step.effect, now)),
      ...(found.length === 0 ? [] : [writeDivergences(DB, run.id, found, now)]),
      ...(settled === undefined
        ? []
        : [noteVerified(DB, settled.streamId, settled.version, settled.hash, now)]),
      ...(closed
        ? [closeDivergences(DB, settled?.streamId ?? "", settled?.action ?? null, now)]
        : []),
      ...(found.length > 0 || closed ? [countDivergences(DB, run.id)] : []),
      ...(heads.length === 0 ? [] : [projectFeed(DB, facts), noteKnown(DB, heads, now)]),
    ]);
  } catch (error) {
    if (text(error).includes(STEP_TAKEN)) return "lost";
    if (text(error).includes(POSITION_MOVED)) return "moved";
    throw error;
  }
  await announce(p, run, step.wakeUp === undefined ? heads : [...heads, step.wakeUp]);
  return "taken";
}

async function effectStatements(
  p: Platform,
  effect: Effect,
  now: number,
): Promise<D1PreparedStatement[]> {
  const db = p.env.DB;
  const { streamId } = effect;
  if (effect.kind === "known") return [noteKnown(db, [{ streamId, version: effect.version }], now)];
  const of = ownerOfStream(streamId);
  if (of === null) throw new Error(`${streamId} has no rows to be repaired`);
  switch (effect.kind) {
    case "reset":
      return [
        ...(effect.to === null ? [] : [setPosition(db, streamId, effect.from, effect.to, now)]),
        ...dropBeyond(db, of),
      ];
    case "demote":
    case "write": {
      const range = await rangeOf(p, streamId, effect.events);
      if (range === null) return [];
      return effect.kind === "demote" ? demoteUnjustified(db, range) : writeRange(db, range);
    }
    case "finish":
      return dropDemoted(db, of);
  }
}

/** What a step reports: divergences with ids, and events about those that are new or settled. */
async function report(p: Platform, run: Run, step: Step) {
  const { findings = [], settled } = step;
  const streams = new Set(findings.map(({ stream }) => stream));
  if (settled !== undefined) streams.add(settled.streamId);
  const open = streams.size === 0 ? [] : await openDivergences(p.env.DB, [...streams]);
  const known = new Set(open.map(({ stream, projection }) => `${stream} ${projection}`));
  const news = findings.filter(({ stream, projection }) => !known.has(`${stream} ${projection}`));
  const closing =
    settled === undefined ? [] : open.filter(({ stream }) => stream === settled.streamId);
  const about = ({ stream, projection, kind, logVersion, readVersion, detail }: Finding) => ({
    reconciliationId: run.id,
    stream,
    projection,
    kind,
    logVersion,
    readVersion,
    detail,
  });
  const events: NewEvent[] = [
    ...news.map((finding) => ({
      eventType: "ReadModelDiverged" as const,
      payload: about(finding),
    })),
    ...closing.map((divergence) => ({
      eventType: "ReadModelRepaired" as const,
      payload: {
        ...about(divergence),
        // What nobody here repaired was repaired as its kind asks for: the sweep or a person came
        // first.
        action: settled?.action ?? actionFor([divergence]),
        proven: true,
      },
    })),
  ];
  return {
    found: findings.map((finding) => ({ ...finding, id: p.newId() })),
    facts: events.map((event, index) => toFact(p, run, event, run.facts + index + 1)),
    closed: closing.length > 0,
  };
}

/** A run's stream has one writer at a time, so the run itself counts its versions. */
const toFact = (p: Platform, run: Run, event: NewEvent, version: number): StoredEvent =>
  toStoredEvent(
    event,
    {
      eventId: p.newId(),
      streamId: reconciliationStream(run.id),
      version,
      occurredAt: p.now(),
    },
    {
      actorId: run.actor,
      jobId: null,
      correlationId: run.id,
      causationId: null,
      ...traced(run.traceparent),
    },
  );

/** Tells the events consumer; if this is lost the sweep finds the streams behind. */
async function announce(
  p: Platform,
  { traceparent }: Run,
  heads: readonly { readonly streamId: string; readonly version: number }[],
): Promise<void> {
  if (heads.length === 0) return;
  await p.env.EVENTS_QUEUE.sendBatch(
    heads.map((head) => ({ body: { ...head, event: null, ...traced(traceparent) } })),
  ).catch((error: unknown) =>
    p.log({ level: "warn", message: "events not announced", error: String(error) }),
  );
}
