import type { Invariant } from "./list.ts";
import { difference, type LoggedObject, type View } from "./view.ts";

/**
 * A recommendation is evaluated at most once, after it was made; the others are open, and so they
 * are in the read model's track record.
 */
export const trackRecord: Invariant = {
  name: "a recommendation is resolved at most once",
  check: (view) =>
    view.assets.flatMap((object) => {
      const { faults, calls } = recommendationsBy(object);
      const open = [...calls].flatMap(([id, { resolved }]): [string, string][] =>
        resolved ? [] : [[id, "open"]],
      );
      return [...faults, ...openFaults(object, open), ...readModelFaults(view, object, calls)];
    }),
};

interface Call {
  readonly resolved: boolean;
  /** Version of the last event about it, and that event's outcome. */
  readonly told: string;
}

const idOf = ({ payload }: LoggedObject["events"][number]): string =>
  String(payload["recommendationId"]);

function recommendationsBy({ host, events }: LoggedObject): {
  faults: string[];
  calls: Map<string, Call>;
} {
  const faults: string[] = [];
  const calls = new Map<string, Call>();
  for (const event of events) {
    const id = idOf(event);
    if (event.eventType === "RecommendationGenerated")
      calls.set(id, { resolved: false, told: `${event.version} null` });
    if (event.eventType !== "RecommendationResolved") continue;
    const before = calls.get(id);
    if (before === undefined) faults.push(`${host.label}: ${id} was resolved and never made`);
    else if (before.resolved)
      faults.push(`${host.label}: ${id} was resolved again by ${event.version}`);
    calls.set(id, { resolved: true, told: `${event.version} ${String(event.payload["outcome"])}` });
  }
  return { faults, calls };
}

function openFaults({ host, db }: LoggedObject, open: readonly [string, string][]): string[] {
  if (!db.has("open_calls")) return [];
  const rows = db
    .rows("SELECT recommendation_id AS id FROM open_calls")
    .map(({ id }): [string, string] => [String(id), "open"]);
  const found = difference(`open calls of ${host.label}`, new Map(open), new Map(rows));
  return found === null ? [] : [found];
}

function readModelFaults(
  view: View,
  { streamId }: LoggedObject,
  calls: ReadonlyMap<string, Call>,
): string[] {
  const rows = view
    .rows(
      "SELECT id, version, outcome FROM track_record WHERE symbol = ?",
      streamId.slice("asset/".length),
    )
    .map(({ id, version, outcome }): [string, string] => [
      String(id),
      `${String(version)} ${String(outcome)}`,
    ]);
  const expected = new Map([...calls].map(([id, { told }]) => [id, told]));
  const found = difference(`track record of ${streamId}`, expected, new Map(rows));
  return found === null ? [] : [found];
}
