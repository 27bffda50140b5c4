import { isSigned } from "../platform/outside.ts";
import type { AcceptedEndpoint } from "../workload/ledger.ts";
import type { Invariant } from "./list.ts";
import { type LoggedEvent, listOf, type View } from "./view.ts";

const DELIVERY_ATTEMPTS = 5;

/**
 * Every event goes to every subscribed endpoint, once on record; and the receiver got every event
 * that is recorded as delivered, with a valid signature.
 */
export const deliveries: Invariant = {
  name: "every event reaches its subscribers",
  check: (view) => {
    const faults: string[] = [];
    const rows = view.rows("SELECT * FROM deliveries");
    const byPair = Map.groupBy(
      rows,
      (row) => `${String(row["endpoint_id"])} ${String(row["event_id"])}`,
    );
    for (const endpoint of view.ledger.endpoints) {
      if (view.ledger.changedEndpoints.has(endpoint.id) || wasDisabled(view, endpoint)) continue;
      for (const event of [...view.feed.values()].flat()) {
        if (Date.parse(event.occurredAt) <= endpoint.at || !asksFor(endpoint, event)) continue;
        // Breaker events about a receiver are not delivered to that receiver.
        if (event.streamId === `breaker/webhook:${endpoint.id}`) continue;
        if (event.streamId === `endpoint/${endpoint.id}`) continue;
        const found = byPair.get(`${endpoint.id} ${event.eventId}`) ?? [];
        if (found.length !== 1)
          faults.push(
            `${event.streamId} ${event.version} ${event.eventType} has ${found.length} deliveries to ${endpoint.host}`,
          );
      }
    }
    for (const row of rows) {
      const state = String(row["state"]);
      // A delivery is cancelled only when its endpoint takes none: disabled or deleted, now or
      // once.
      const changed = view.ledger.changedEndpoints.has(String(row["endpoint_id"]));
      const ended = view.ledger.endpoints.find(({ id }) => id === row["endpoint_id"]);
      if (state === "cancelled" && !changed && ended !== undefined && !wasDisabled(view, ended))
        faults.push(`delivery ${String(row["id"])} is cancelled although its endpoint is enabled`);
      if (state !== "delivered" && state !== "failed" && state !== "cancelled")
        faults.push(`delivery ${String(row["id"])} is ${state}`);
      if (state !== "delivered") continue;
      const endpoint = view.ledger.endpoints.find(({ id }) => id === row["endpoint_id"]);
      if (endpoint === undefined) continue;
      const calls = view.system.outside.received.get(endpoint.host) ?? [];
      const own = calls.filter(({ id }) => id === row["event_id"]);
      if (own.length === 0)
        faults.push(`${endpoint.host} never saw ${String(row["event_id"])}, which is delivered`);
      if (endpoint.secret !== null && !own.every((call) => isSigned(call, endpoint.secret ?? "")))
        faults.push(`${endpoint.host} got a bad signature`);
    }
    for (const { id, attempts } of rows) {
      const made = listOf(attempts);
      if (made.length > DELIVERY_ATTEMPTS * 12) faults.push(`delivery ${String(id)} never stopped`);
      if (made.some(({ number }, at) => number !== at + 1))
        faults.push(`delivery ${String(id)} counts its attempts wrongly`);
    }
    return faults;
  },
};

const wasDisabled = (view: View, { id }: AcceptedEndpoint): boolean =>
  view.rows("SELECT enabled, disabled_why FROM webhook_endpoints WHERE id = ?", id)[0]?.[
    "enabled"
  ] !== 1;

/** AMQP topic patterns, written down a second time on purpose. */
function asksFor(endpoint: AcceptedEndpoint, event: LoggedEvent): boolean {
  const [aggregate = "", ...rest] = event.streamId.split("/");
  const key = [aggregate, rest.join("/").replaceAll(".", "%2E"), event.eventType];
  return endpoint.patterns.some((pattern) => matches(pattern.split("."), key));
}

function matches([word, ...pattern]: readonly string[], key: readonly string[]): boolean {
  if (word === undefined) return key.length === 0;
  if (word === "#")
    return matches(pattern, key) || (key.length > 0 && matches([word, ...pattern], key.slice(1)));
  return key.length > 0 && (word === "*" || word === key[0]) && matches(pattern, key.slice(1));
}
