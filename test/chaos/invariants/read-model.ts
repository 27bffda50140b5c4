import { barKeyOf, foldBars } from "./fold.ts";
import type { Invariant } from "./list.ts";
import { difference, type LoggedObject, type View } from "./view.ts";

/**
 * The read model equals the logs: bars, indicators, recommendations, and the projected position of
 * each stream.
 */
export const readModel: Invariant = {
  name: "the read model is the projection of the logs",
  check: (view) =>
    view.objects
      .filter(({ streamId }) => streamId.startsWith("asset/"))
      .flatMap((object) =>
        [
          bars(view, object),
          actions(view, object),
          indicators(view, object),
          recommendations(view, object),
          head(view, object),
        ].flatMap((fault) => fault ?? []),
      ),
};

const symbolOf = ({ streamId }: LoggedObject): string => streamId.slice("asset/".length);

function bars(view: View, object: LoggedObject): string | null {
  const folded = [...foldBars(object)].map(([key, bar]): [string, string] => [
    key,
    JSON.stringify([...bar.values, bar.source, bar.version]),
  ]);
  const rows = view
    .rows("SELECT * FROM bars WHERE symbol = ?", symbolOf(object))
    .map((row): [string, string] => [
      barKeyOf(row["resolution"], Number(row["timestamp"])),
      JSON.stringify([
        row["open"],
        row["high"],
        row["low"],
        row["close"],
        row["volume"],
        row["source"],
        row["version"],
      ]),
    ]);
  return difference(`bars of ${object.streamId} in D1`, new Map(folded), new Map(rows));
}

function actions(view: View, object: LoggedObject): string | null {
  const folded = new Map<string, string>();
  for (const { eventType, payload, version } of object.events) {
    if (eventType !== "MarketDataIngested") continue;
    const told = payload["actions"] as { type: string; exDate: string; amount: number }[];
    for (const { type, exDate, amount } of told)
      folded.set(`${type} ${Date.parse(exDate)}`, `${amount} ${version}`);
  }
  const rows = view
    .rows("SELECT * FROM corporate_actions WHERE symbol = ?", symbolOf(object))
    .map((row): [string, string] => [
      `${String(row["type"])} ${String(row["ex_date"])}`,
      `${String(row["amount"])} ${String(row["version"])}`,
    ]);
  return difference(`corporate actions of ${object.streamId} in D1`, folded, new Map(rows));
}

function indicators(view: View, object: LoggedObject): string | null {
  const folded = new Map<string, string>();
  for (const { eventType, payload, version } of object.events) {
    if (eventType !== "IndicatorsComputed") continue;
    const { items, resolution } = payload as {
      items: { timestamp: string; values: unknown }[];
      resolution: string;
    };
    for (const { timestamp, values } of items)
      folded.set(
        barKeyOf(resolution, Date.parse(timestamp)),
        `${version} ${JSON.stringify(values)}`,
      );
  }
  const rows = view
    .rows(
      'SELECT resolution, timestamp, "values" AS v, version FROM indicators WHERE symbol = ?',
      symbolOf(object),
    )
    .map((row): [string, string] => [
      barKeyOf(row["resolution"], Number(row["timestamp"])),
      `${String(row["version"])} ${String(row["v"])}`,
    ]);
  return difference(`indicators of ${object.streamId} in D1`, folded, new Map(rows));
}

function recommendations(view: View, object: LoggedObject): string | null {
  const folded = object.events
    .filter(({ eventType }) => eventType === "RecommendationGenerated")
    .map((event): [string, string] => [
      String(event.payload["recommendationId"]),
      `${event.version} ${event.eventId}`,
    ]);
  const rows = view
    .rows("SELECT id, version, event_id FROM recommendations WHERE symbol = ?", symbolOf(object))
    .map((row): [string, string] => [
      String(row["id"]),
      `${String(row["version"])} ${String(row["event_id"])}`,
    ]);
  return difference(`recommendations of ${object.streamId} in D1`, new Map(folded), new Map(rows));
}

function head(view: View, { streamId, events, db }: LoggedObject): string | null {
  const [row] = view.rows("SELECT * FROM streams WHERE stream_id = ?", streamId);
  const projected = Number(row?.["projected_version"] ?? 0);
  const [last] = db.rows("SELECT hash FROM events ORDER BY version DESC LIMIT 1");
  if (projected === events.length && last?.["hash"] !== row?.["projected_hash"])
    return `${streamId} is projected with the hash ${String(row?.["projected_hash"])}, its log has ${String(last?.["hash"])}`;
  return projected === events.length
    ? null
    : `${streamId} is projected up to ${projected} of ${events.length}`;
}
