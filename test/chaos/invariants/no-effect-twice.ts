import { addedBy, isMarketData } from "./fold.ts";
import type { Invariant } from "./list.ts";
import type { LoggedEvent } from "./view.ts";

/** One job evaluates everything that is due, each with an event of its own. */
const evaluatedBy = ({ eventType, payload }: LoggedEvent): unknown =>
  eventType === "RecommendationResolved" ? payload["recommendationId"] : "";

/**
 * An effect happens once: no bar is added twice, no job is carried out twice, no request is taken
 * for two.
 */
export const noEffectTwice: Invariant = {
  name: "no effect happens twice",
  check: (view) => {
    const faults: string[] = [];
    for (const { host, events, db } of view.assets) {
      const added = new Map<string, number>();
      const parts = new Set<string>();
      for (const event of events) {
        for (const key of addedBy(event)) {
          const before = added.get(key);
          if (before !== undefined)
            faults.push(
              `${host.label}: ${key} was added by version ${before} and again by ${event.version}`,
            );
          added.set(key, event.version);
        }
        if (event.jobId !== null && event.jobId !== undefined) {
          const part = `${event.eventType} ${event.jobId} ${String(event.payload["part"] ?? evaluatedBy(event))}`;
          if (parts.has(part)) faults.push(`${host.label}: ${part} happened twice`);
          parts.add(part);
        }
      }
      if (!db.has("consumed")) continue;
      if (db.has("conflicts") && db.rows("SELECT id FROM conflicts").length > 0)
        faults.push(`${host.label} saw one id with two payloads, and no one sent them`);
      const consumed = new Set(db.rows("SELECT id FROM consumed").map(({ id }) => String(id)));
      for (const event of events.filter(isMarketData)) {
        if (event.jobId !== null && !consumed.has(event.jobId))
          faults.push(`${host.label}: ${event.jobId} left events and is not known as handled`);
      }
      for (const id of consumed)
        if (!view.jobs.has(id)) faults.push(`${host.label} handled ${id}, which no one requested`);
    }
    const imports = [...view.jobs.keys()].filter((id) => id.includes("|import:"));
    if (imports.length > view.ledger.importsBegun)
      faults.push(`${view.ledger.importsBegun} import requests became ${imports.length} jobs`);
    return faults;
  },
};
