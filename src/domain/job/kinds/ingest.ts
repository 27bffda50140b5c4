import type { Answers } from "../../import/question.ts";
import type { JobKindFacts } from "../kind.ts";

/** Asks a price source up to an instant (epoch ms). */
export interface SourceParams {
  readonly mode: "source";
  readonly until: number;
  readonly backfill: boolean;
}

/** An uploaded file, and what its sender said of it where the file leaves something open. */
export interface ImportParams {
  readonly mode: "import";
  readonly objectKey: string;
  readonly format: "csv" | "json";
  readonly answers?: Omit<Answers, "resolution">;
}

export const ingest: JobKindFacts<SourceParams | ImportParams> = {
  subject: "asset",
  queue: "ingest",
  // It waits longest: what fails here is a vendor that needs rest.
  policy: { type: "backoff", attempts: 6, baseSeconds: 10, capSeconds: 1800 },
  order: (until, backfill) => ({ mode: "source", until, backfill }),
  showsRunning: true,
};
