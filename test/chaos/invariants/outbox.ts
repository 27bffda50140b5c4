import type { Invariant } from "./list.ts";

/** An event leaves the outbox only after its queue has taken it; at rest every outbox is empty. */
export const outbox: Invariant = {
  name: "every event was published",
  check: (view) =>
    view.objects.flatMap(({ host, db, events, streamId }) => {
      if (!db.has("outbox")) return [];
      const waiting = db
        .rows("SELECT version FROM outbox ORDER BY version")
        .map(({ version }) => Number(version));
      const faults =
        waiting.length > 0 ? [`${host.label} still has ${waiting.join(", ")} in its outbox`] : [];
      const unpublished = events.filter(
        ({ version }) =>
          !waiting.includes(version) && !view.system.published.has(`${streamId} ${version}`),
      );
      const [first] = unpublished;
      if (first !== undefined)
        faults.push(`${streamId} ${first.version} left the outbox and was never published`);
      return faults;
    }),
};
