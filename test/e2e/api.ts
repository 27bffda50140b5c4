import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { type Job, jobView } from "./views.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export interface Ask {
  readonly body?: string | Uint8Array | ReadableStream<Uint8Array>;
  readonly headers?: Readonly<Record<string, string>>;
}

const REQUEST_TIMEOUT_MS = 60_000;
const WAIT_TIMEOUT_MS = 90_000;

/** Calls the API as a program would, with nothing but fetch. */
export class Api {
  readonly origin: string;
  readonly key: string | null;

  constructor(origin: string, key: string | null) {
    this.origin = origin;
    this.key = key;
  }

  as(key: string | null): Api {
    return new Api(this.origin, key);
  }

  /** Paths are below /api/v1 unless they start with the origin. */
  async ask(method: string, path: string, { body, headers = {} }: Ask = {}): Promise<Answer> {
    const url = path.startsWith("http") ? path : `${this.origin}/api/v1${path}`;
    const response = await fetch(url, {
      method,
      headers: {
        ...(this.key === null ? {} : { authorization: `Bearer ${this.key}` }),
        ...headers,
      },
      body: body ?? null,
      redirect: "manual",
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      ...(body instanceof ReadableStream ? { duplex: "half" as const } : {}),
    });
    return { status: response.status, headers: response.headers, text: await response.text() };
  }

  json(
    method: string,
    path: string,
    value: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const all = { "content-type": "application/json", ...headers };
    return this.ask(method, path, { body: JSON.stringify(value), headers: all });
  }

  async get<T extends z.ZodType>(path: string, view: T): Promise<z.infer<T>> {
    return view.parse(JSON.parse((await this.expect(200, await this.ask("GET", path))).text));
  }

  /** Every item of a list, page by page. */
  async all<T extends z.ZodType>(path: string, item: T): Promise<z.infer<T>[]> {
    const page = z.object({
      items: z.array(item),
      nextCursor: z.string().nullable(),
      caughtUp: z.boolean().optional(),
    });
    const items: z.infer<T>[] = [];
    let cursor = "";
    for (;;) {
      const { items: more, nextCursor, caughtUp } = await this.get(`${path}${cursor}`, page);
      items.push(...more);
      // The event feed has no end: there the cursor goes on forever, and `caughtUp` marks the end.
      if (nextCursor === null || caughtUp === true) return items;
      cursor = `${path.includes("?") ? "&" : "?"}cursor=${nextCursor}`;
    }
  }

  async create<T extends z.ZodType>(path: string, value: unknown, view: T): Promise<z.infer<T>> {
    return view.parse(
      JSON.parse((await this.expect(201, await this.json("POST", path, value))).text),
    );
  }

  /** Sends bars and returns the id of the job that imports them. */
  async importCsv(symbol: string, csv: string | Uint8Array, query = ""): Promise<string> {
    const headers = { "content-type": "text/csv" };
    const answer = await this.ask("POST", `/assets/${symbol}/bars${query}`, { body: csv, headers });
    return z.object({ jobId: z.string() }).parse(JSON.parse((await this.expect(202, answer)).text))
      .jobId;
  }

  /** The job, once it has ended one way or the other. */
  jobEnd(id: string): Promise<Job> {
    return until(`the end of job ${id}`, async () => {
      const job = await this.get(`/jobs/${encodeURIComponent(id)}`, jobView);
      return job.finishedAt === null ? null : job;
    });
  }

  private async expect(status: number, answer: Answer): Promise<Answer> {
    if (answer.status !== status)
      throw new Error(`answered ${answer.status}: ${answer.text.slice(0, 2_000)}`);
    return answer;
  }
}

/** Asks again and again until there is something. */
export async function until<T>(
  what: string,
  look: () => Promise<T | null>,
  { everyMs = 100, timeoutMs = WAIT_TIMEOUT_MS }: { everyMs?: number; timeoutMs?: number } = {},
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== null) return found;
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs / 1000} s in vain for ${what}`);
    await sleep(everyMs);
  }
}
