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
  readonly wait: Quantiles;
  readonly run: Quantiles;
}

/** How long the jobs of a round waited for their consumer and how long they ran, by kind, in milliseconds. */
export async function stagesSince(api: Api, since: number): Promise<Stage[]> {
  const jobs = await jobsSince(api, since);
  return ["ingest", "indicators", "recommendation"].map((kind) => {
    const own = jobs.filter((job) => job.kind === kind);
    const times = own.flatMap(({ createdAt, attempts }) => {
      const first = attempts[0];
      if (first === undefined) return [];
      const [created, started, ended] = [createdAt, first.startedAt, first.endedAt].map(Date.parse) as [
        number,
        number,
        number,
      ];
      return [{ wait: started - created, run: ended - started }];
    });
    return {
      name: kind,
      wait: quantiles(times.map(({ wait }) => wait)),
      run: quantiles(times.map(({ run }) => run)),
    };
  });
}

async function jobsSince(api: Api, since: number): Promise<Job[]> {
  const jobs: Job[] = [];
  let cursor = "";
  for (let pages = 0; pages < 1_000; pages++) {
    const page = await api.get<{ items: Job[]; nextCursor: string | null }>(`/jobs?limit=200${cursor}`);
    for (const job of page.items) {
      if (Date.parse(job.createdAt) < since) return jobs;
      jobs.push(job);
    }
    if (page.nextCursor === null) return jobs;
    cursor = `&cursor=${page.nextCursor}`;
  }
  return jobs;
}
