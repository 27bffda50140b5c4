import type { AssetFact } from "../events/catalogue.ts";
import type { NewEvent } from "../events/envelope.ts";
import type { Resolution } from "../market/resolution.ts";
import type { Problem } from "../outcome.ts";
import { canonicalJson } from "../recommendation/canonical-json.ts";
import type { Bar } from "./bar.ts";
import type { IngestCommand, RecordRecommendationCommand, RegisterCommand } from "./commands.ts";
import { type CorporateAction, mergeActions } from "./corporate-action.ts";
import { ingestEvents } from "./ingest.ts";
import { mergeBars } from "./merge-bars.ts";
import { scaled } from "./on-one-scale.ts";

/**
 * Data that a decision about an asset may read. The object reads its tables, a test reads a fold of
 * events.
 */
export interface AssetView {
  readonly version: number;
  /** Null before the asset has been registered. */
  readonly fact: AssetFact | null;
  /** Bars from `from` to `to`, both included, oldest first. */
  readonly between: (resolution: Resolution, from: number, to: number) => readonly Bar[];
  /** Corporate actions with an ex-date from `from` to `to`, both included. */
  readonly actionsBetween: (from: number, to: number) => readonly CorporateAction[];
  /** The recommendation that answered a snapshot, or null. */
  readonly answerTo: (snapshotHash: string) => string | null;
}

/** The events of a command (none when it changes nothing), or the reason why it is refused. */
export type Decision =
  | { readonly kind: "accepted"; readonly events: readonly NewEvent[] }
  | { readonly kind: "refused"; readonly error: Problem };

const accepted = (events: readonly NewEvent[]): Decision => ({ kind: "accepted", events });

const UNKNOWN: Decision = {
  kind: "refused",
  error: { code: "asset.unknown", detail: "the asset has not been registered" },
};

const CHANGED: Decision = {
  kind: "refused",
  error: {
    code: "stream.version_conflict",
    detail: "the asset has changed since the change was based on it",
  },
};

/** Compares two facts, whatever the order of their fields. */
const sameFact = (one: AssetFact, other: AssetFact): boolean =>
  canonicalJson(one) === canonicalJson(other);

/**
 * Registers an asset, or changes it when it is registered already; the same fact twice is one
 * event. With `expected` it is refused when the asset is neither that nor the fact itself.
 */
export function decideRegister(
  view: Pick<AssetView, "fact">,
  { fact, expected }: Pick<RegisterCommand, "fact" | "expected">,
): Decision {
  if (view.fact === null) return accepted([{ eventType: "AssetRegistered", payload: fact }]);
  if (sameFact(view.fact, fact)) return accepted([]);
  if (expected !== undefined && (expected === null || !sameFact(view.fact, expected)))
    return CHANGED;
  return accepted([{ eventType: "AssetUpdated", payload: fact }]);
}

/** Merges bars and actions: new ones are ingested, changed ones revised, repeated ones ignored. */
export function decideIngest(
  view: Pick<AssetView, "fact" | "between" | "actionsBetween">,
  command: IngestCommand,
): Decision {
  if (view.fact === null) return UNKNOWN;
  const { symbol, resolution, source, scheduleId, slot, bars, actions = [] } = command;
  const first = bars[0];
  const last = bars.at(-1);
  const stored =
    first === undefined || last === undefined
      ? []
      : view.between(resolution, first.timestamp, last.timestamp);
  const older =
    command.olderTimes === undefined || first === undefined
      ? []
      : view.between(resolution, Number.MIN_SAFE_INTEGER, first.timestamp - 1);
  const merge = mergeBars(new Map([...older, ...stored].map((bar) => [bar.timestamp, bar])), [
    ...older.map((bar) => scaled(bar, command.olderTimes ?? 1)),
    ...bars,
  ]);
  const changes = decideActions(view, actions);
  return accepted(ingestEvents(merge, { symbol, resolution, source, scheduleId, slot }, changes));
}

function decideActions(
  view: Pick<AssetView, "actionsBetween">,
  actions: readonly CorporateAction[],
) {
  if (actions.length === 0) return [];
  const dates = actions.map(({ exDate }) => exDate);
  return mergeActions(view.actionsBetween(Math.min(...dates), Math.max(...dates)), actions);
}

/**
 * Stores a recommendation. The first answer to a snapshot remains. An answer is stored only if the
 * asset has not changed since its context was read.
 */
export function decideRecommendation(
  view: Pick<AssetView, "fact" | "version" | "answerTo">,
  { recommendation, expectedVersion }: RecordRecommendationCommand,
): Decision {
  if (view.fact === null) return UNKNOWN;
  if (view.answerTo(recommendation.snapshotHash) !== null) return accepted([]);
  if (view.version !== expectedVersion) {
    const detail = `the asset is at version ${view.version}, the answer was made at ${expectedVersion}`;
    return { kind: "refused", error: { code: "stream.version_conflict", detail } };
  }
  return accepted([{ eventType: "RecommendationGenerated", payload: recommendation }]);
}
