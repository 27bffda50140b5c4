import type { Api } from "./api.ts";

interface Job {
  readonly kind: string;
  readonly symbol: string;
  readonly createdAt: string;
  readonly attempts: readonly { readonly startedAt: string; readonly endedAt: string }[];
}

export interface Quantiles {
  readonly p50: number;
  readonly p99: number;
}

/** Nearest-rank quantiles, in the unit of the values. */
export function quantiles(values: readonly number[]): Quantiles {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (q: number): number =>
    sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99) };
}

export interface Stage {
  readonly name: string;
  readonly times: Quantiles;
}

const KINDS = ["ingest", "indicators", "recommendation"] as const;

/**
 * Where a round's time went, in milliseconds: for each kind of job the wait for its consumer and
 * the work itself, and between one job's end and the next one's order the events queue with its
 * projection.
 */
export async function stagesSince(api: Api, since: number): Promise<Stage[]> {
  const bySymbol = Map.groupBy(await jobsSince(api, since), ({ symbol }) => symbol);
  const times = new Map<string, number[]>();
  const add = (name: string, from: string, to: string): void => {
    times.set(name, [...(times.get(name) ?? []), Date.parse(to) - Date.parse(from)]);
  };
  for (const jobs of bySymbol.values()) {
    let before: string | null = null;
    for (const kind of KINDS) {
      const job = jobs.find((one) => one.kind === kind);
      const attempt = job?.attempts[0];
      if (job === undefined || attempt === undefined) break;
      if (before !== null) add(`events queue and projection before ${kind}`, before, job.createdAt);
      add(`${kind}: queue wait`, job.createdAt, attempt.startedAt);
      add(`${kind}: work`, attempt.startedAt, attempt.endedAt);
      before = attempt.endedAt;
    }
  }
  return [...times].map(([name, values]) => ({ name, times: quantiles(values) }));
}

async function jobsSince(api: Api, since: number): Promise<Job[]> {
  const jobs: Job[] = [];
  let cursor = "";
  for (let pages = 0; pages < 1_000; pages++) {
    const page = await api.get<{ items: Job[]; nextCursor: string | null }>(
      `/jobs?limit=200${cursor}`,
    );
    for (const job of page.items) {
      if (Date.parse(job.createdAt) < since) return jobs;
      jobs.push(job);
    }
    if (page.nextCursor === null) return jobs;
    cursor = `&cursor=${page.nextCursor}`;
  }
  return jobs;
}
