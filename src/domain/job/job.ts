import type { PortfolioBacktestRequest } from "../backtest/portfolio-request.ts";
import type { BacktestRequest } from "../backtest/request.ts";
import type { Answers } from "../import/question.ts";
import type { Resolution } from "../market/resolution.ts";
import type { Problem } from "../outcome.ts";
import type { OptimizationRequest } from "../portfolio/request.ts";

/** The kinds of job this version runs. */
export const JOB_KINDS = [
  "ingest",
  "indicators",
  "recommendation",
  "ranking",
  "portfolio",
] as const;
export type JobKind = (typeof JOB_KINDS)[number];

export const JOB_STATES = [
  "queued",
  "running",
  "retrying",
  "succeeded",
  "failed",
  "cancelled",
] as const;
export type JobState = (typeof JOB_STATES)[number];

/** The states that the API shows: a job that is queued for later is scheduled until it is due. */
export const SHOWN_JOB_STATES = ["scheduled", ...JOB_STATES] as const;
export type ShownJobState = (typeof SHOWN_JOB_STATES)[number];

/** `now` is epoch ms. */
export const shownState = (
  { state, dueAt }: { readonly state: JobState; readonly dueAt: number | null },
  now: number,
): ShownJobState => (state === "queued" && dueAt !== null && dueAt > now ? "scheduled" : state);

/** A job in one of these states never changes again. */
export const isFinished = (state: JobState): boolean =>
  state === "succeeded" || state === "failed" || state === "cancelled";

/** One try of a job. `error` is null when it succeeded. Instants are epoch milliseconds. */
export interface Attempt {
  readonly number: number;
  /** Number of redrives before this attempt; each grants all attempts again. */
  readonly redrive: number;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly outcome: "done" | "later" | "refused";
  readonly error: Problem | null;
}

/**
 * Parameters of a job, by kind. An ingest job reads a price source up to an instant, or an uploaded
 * file. An optimisation has its request and its assets; one that a schedule requests is `derived`,
 * and finds both in its portfolio. A backtest has its request, and its asset or its assets
 * together.
 */
export type JobParams =
  | { readonly mode: "source"; readonly until: number; readonly backfill: boolean }
  | ImportParams
  | {
      readonly mode: "portfolio";
      readonly symbols: readonly string[];
      readonly request: OptimizationRequest;
    }
  | { readonly mode: "backtest"; readonly symbol: string; readonly request: BacktestRequest }
  | {
      readonly mode: "portfolioBacktest";
      /** Null when it was requested for assets that are no portfolio. */
      readonly portfolioId: string | null;
      readonly symbols: readonly string[];
      readonly request: PortfolioBacktestRequest;
    }
  /**
   * A comparison of bars with another source; `source` null for the first other one that is
   * configured. Instants are epoch ms.
   */
  | {
      readonly mode: "crossCheck";
      readonly symbol: string;
      readonly source: string | null;
      readonly from: number | null;
      readonly to: number | null;
      readonly toleranceBps: number | null;
    }
  | { readonly mode: "derived" }
  /**
   * A recommendation job that makes none: it evaluates the asset's recommendations whose horizon
   * has passed.
   */
  | { readonly mode: "resolve" }
  /**
   * A ranking for a moment of the market. Its job's `symbol` is the resolution it ranks, which no
   * asset is called.
   */
  | { readonly mode: "ranking"; readonly until: number };

/** An uploaded file, and the sender's answers where the file is ambiguous. */
export interface ImportParams {
  readonly mode: "import";
  readonly objectKey: string;
  readonly format: "csv" | "json";
  readonly answers?: Omit<Answers, "resolution">;
}

/** A job as it is ordered: everything that decides its effect. Its id is `kind|asset|slot`. */
export interface JobRequest {
  readonly id: string;
  readonly kind: JobKind;
  /**
   * The asset it is about, or another subject, as in `portfolio/<id>`. Jobs of one subject wait for
   * each other.
   */
  readonly symbol: string;
  readonly resolution: Resolution;
  readonly params: JobParams;
  /** Epoch ms of the slot that it serves, or null when a person or an event requested it. */
  readonly slot: number | null;
  readonly scheduleId: string | null;
  readonly correlationId: string;
  /** The event that caused it, if one did. */
  readonly causationId: string | null;
  readonly actor: string;
  /** W3C Trace Context, when the request is traced. */
  readonly traceparent?: string | null;
}

/**
 * `kind|asset|slot`: the same work always has the same id, so ordering it twice is ordering it
 * once. The slot is the due instant for scheduled work, `v<version>` for work an event asks for,
 * and a unique word otherwise.
 */
export const jobId = (kind: JobKind, symbol: string, slot: string): string =>
  `${kind}|${symbol}|${slot}`;

const PORTFOLIO = "portfolio/";

/**
 * The subject of a portfolio's jobs. No symbol has a slash in it, so the two are never taken for
 * each other.
 */
export const portfolioSubject = (portfolioId: string): string => `${PORTFOLIO}${portfolioId}`;

/** The portfolio that a subject names, or null for an asset. */
export const portfolioOf = (subject: string): string | null =>
  subject.startsWith(PORTFOLIO) ? subject.slice(PORTFOLIO.length) : null;

const BACKTEST = "backtest/";

/**
 * The subject of a backtest's job. It reads only, so it waits for no other job, and none waits for
 * it.
 */
export const backtestSubject = (backtestId: string): string => `${BACKTEST}${backtestId}`;

export const backtestOf = (subject: string): string | null =>
  subject.startsWith(BACKTEST) ? subject.slice(BACKTEST.length) : null;

/** The id of a backtest's job. */
export const backtestJobId = (backtestId: string): string =>
  jobId("portfolio", "backtest", backtestId);

const CROSS_CHECK = "cross-check/";

/**
 * The subject of a cross-check's job. It changes nothing of the asset, so it does not wait for
 * other jobs, nor they for it.
 */
export const crossCheckSubject = (id: string): string => `${CROSS_CHECK}${id}`;

export const crossCheckOf = (subject: string): string | null =>
  subject.startsWith(CROSS_CHECK) ? subject.slice(CROSS_CHECK.length) : null;

/** The id of a cross-check's job. */
export const crossCheckJobId = (id: string): string => jobId("ingest", "cross-check", id);

/**
 * A subject as the API shows it: an asset's symbol, a portfolio, a backtest or a cross-check, each
 * null where it does not apply.
 */
export const shownSubject = (
  subject: string,
): {
  readonly symbol: string | null;
  readonly portfolioId: string | null;
  readonly backtestId: string | null;
  readonly crossCheckId: string | null;
} => {
  const portfolioId = portfolioOf(subject);
  const backtestId = backtestOf(subject);
  const crossCheckId = crossCheckOf(subject);
  const isAsset = portfolioId === null && backtestId === null && crossCheckId === null;
  return { symbol: isAsset ? subject : null, portfolioId, backtestId, crossCheckId };
};

/** A job as recorded: its request, and its history. Instants are epoch milliseconds. */
export interface JobRecord extends JobRequest {
  readonly state: JobState;
  readonly attempts: readonly Attempt[];
  /** Number of redrives by an operator. */
  readonly redrives: number;
  /** Deferrals in a row without an attempt, and the first of them (epoch ms). */
  readonly deferrals: number;
  readonly deferredSince: number | null;
  /** The earlier dead letter of its asset that blocks it, or null. */
  readonly blockedBy: string | null;
  readonly result: unknown;
  readonly error: Problem | null;
  readonly createdAt: number;
  /** When it is expected to run next; null once finished. */
  readonly dueAt: number | null;
  readonly finishedAt: number | null;
}
