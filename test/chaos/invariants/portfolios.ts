import type { Invariant } from "./list.ts";
import type { View } from "./view.ts";

/** An optimisation has one result, as event and as record, with the same numbers in both. */
export const portfolios: Invariant = {
  name: "a portfolio is optimised once",
  check: (view) => [...eventFaults(view), ...resultFaults(view), ...backtestFaults(view)],
};

function eventFaults(view: View): string[] {
  const streams = [...view.feed].filter(([streamId]) => streamId.startsWith("portfolio/"));
  return streams.flatMap(([streamId, events]) => [
    ...events.flatMap(({ version }, index) =>
      version === index + 1 ? [] : [`${streamId} has version ${version} at place ${index + 1}`],
    ),
    ...[...Map.groupBy(events, ({ jobId }) => String(jobId))]
      .filter(([jobId, own]) => own.length > 1 || !view.jobs.has(jobId))
      .map(([jobId, own]) => `${jobId} optimised ${streamId} ${own.length} times`),
  ]);
}

function resultFaults(view: View): string[] {
  const events = new Map(
    [...view.feed.values()]
      .flat()
      .filter(({ eventType }) => eventType === "PortfolioOptimized")
      .map((event) => [String(event.jobId), event]),
  );
  const faults: string[] = [];
  const rows = new Map(
    view
      .rows("SELECT job_id, result -> '$.weights' AS weights FROM portfolio_optimizations")
      .map((row) => [String(row["job_id"]), row["weights"]]),
  );
  for (const [jobId, weights] of rows) {
    const told = events.get(jobId)?.payload["weights"];
    if ((weights ?? null) !== (told === undefined ? null : JSON.stringify(told)))
      faults.push(`${jobId} resulted in ${String(weights)} and told ${JSON.stringify(told)}`);
  }
  for (const jobId of events.keys())
    if (!rows.has(jobId)) faults.push(`${jobId} told what it has not kept`);
  for (const { id, kind, symbol, state } of view.jobs.values()) {
    if (
      kind === "portfolio" &&
      symbol.startsWith("portfolio/") &&
      state === "succeeded" &&
      !events.has(id)
    )
      faults.push(`${id} succeeded and optimised nothing`);
  }
  return faults;
}

function backtestFaults(view: View): string[] {
  return view
    .rows("SELECT b.id, b.job_id, b.progress, b.result IS NOT NULL AS done FROM backtests b")
    .flatMap((row) => {
      const job = view.jobs.get(String(row["job_id"]));
      if (job === undefined) return [`the backtest ${String(row["id"])} has no job`];
      if (job.state === "succeeded" && (row["done"] !== 1 || row["progress"] !== 1))
        return [`${job.id} succeeded at ${String(row["progress"])} of its way`];
      return [];
    });
}
