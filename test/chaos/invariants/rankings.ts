import type { Invariant } from "./list.ts";

/**
 * A job ranks once: its stream has one event of it, without gaps, and none of a job that did not
 * succeed unseen.
 */
export const rankings: Invariant = {
  name: "a ranking is made once",
  check: (view) => {
    const events = view.feed.get("ranking/1d") ?? [];
    const faults = events.flatMap(({ version }, index) =>
      version === index + 1 ? [] : [`ranking/1d has version ${version} at place ${index + 1}`],
    );
    const made = Map.groupBy(events, ({ jobId }) => String(jobId));
    for (const [jobId, own] of made) {
      if (own.length > 1) faults.push(`${jobId} ranked ${own.length} times`);
      if (!view.jobs.has(jobId)) faults.push(`${jobId} ranked without a request`);
    }
    for (const { id, kind, state } of view.jobs.values())
      if (kind === "ranking" && state === "succeeded" && !made.has(id))
        faults.push(`${id} succeeded and ranked nothing`);
    return faults;
  },
};
