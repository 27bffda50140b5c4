import type { Resolution } from "../market/resolution.ts";
import type { Problem } from "../outcome.ts";
import { familyOf, type JobKind, type JobParams, KINDS } from "./job-kinds.ts";
import type { SubjectType } from "./kind.ts";

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

/** A job as requested: everything that decides its effect. Its id is `family|asset|slot`. */
export interface JobRequest {
  readonly id: string;
  readonly kind: JobKind;
  /**
   * What it is about in one word: an asset's symbol, a resolution, or as in `portfolio/<id>` (see
   * `subjectOf`). Jobs of one subject wait for each other, whatever their kind.
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
 * `family|asset|slot`: the same work always has the same id, so ordering it twice is ordering it
 * once. The slot is the due instant for scheduled work, `v<version>` for work an event asks for,
 * and a unique word otherwise.
 */
export const jobId = (kind: JobKind, symbol: string, slot: string): string =>
  `${familyOf(kind)}|${symbol}|${slot}`;

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
  jobId("backtest", "backtest", backtestId);

const CROSS_CHECK = "cross-check/";

/**
 * The subject of a cross-check's job. It changes nothing of the asset, so it does not wait for
 * other jobs, nor they for it.
 */
export const crossCheckSubject = (id: string): string => `${CROSS_CHECK}${id}`;

const crossCheckOf = (subject: string): string | null =>
  subject.startsWith(CROSS_CHECK) ? subject.slice(CROSS_CHECK.length) : null;

/** The id of a cross-check's job. */
export const crossCheckJobId = (id: string): string => jobId("cross_check", "cross-check", id);

/** What a job is about. */
export interface Subject {
  readonly subjectType: SubjectType;
  readonly subjectId: string;
}

const PREFIXES: Readonly<Record<SubjectType, string>> = {
  asset: "",
  timeframe: "",
  portfolio: PORTFOLIO,
  backtest: BACKTEST,
  cross_check: CROSS_CHECK,
};

/** What a job of a kind is about, from the one word that stands for it. */
export function subjectOf(kind: JobKind, symbol: string): Subject {
  const subjectType = KINDS[kind].subject;
  const prefix = PREFIXES[subjectType];
  return {
    subjectType,
    subjectId: symbol.startsWith(prefix) ? symbol.slice(prefix.length) : symbol,
  };
}

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
export interface JobRecord extends JobRequest, Subject {
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
