import type { QueueName } from "../queue/queues.ts";
import type { FormerWord, JobKindFacts } from "./kind.ts";
import { backtest } from "./kinds/backtest.ts";
import { crossCheck } from "./kinds/cross-check.ts";
import { evaluation } from "./kinds/evaluation.ts";
import { indicators } from "./kinds/indicators.ts";
import { ingest } from "./kinds/ingest.ts";
import { optimization } from "./kinds/optimization.ts";
import { ranking } from "./kinds/ranking.ts";
import { recommendation } from "./kinds/recommendation.ts";

/**
 * The catalogue of the kinds of job, one line each. Queues, policies, metrics, request schemas and
 * sweeps follow from it; the compiler asks for the handler in src/queues/job-kinds.
 */
export const KINDS = {
  ingest,
  indicators,
  recommendation,
  evaluation,
  ranking,
  optimization,
  backtest,
  cross_check: crossCheck,
} as const;

export type JobKind = keyof typeof KINDS;

type ParamsIn<F> = F extends JobKindFacts<infer P> ? P : never;

/** The params of a kind. */
type ParamsOf<K extends JobKind> = ParamsIn<(typeof KINDS)[K]>;

/** What decides a job's effect beside its subject. */
export type JobParams = { [K in JobKind]: ParamsOf<K> }[JobKind];

export const JOB_KINDS = Object.keys(KINDS) as readonly JobKind[] as readonly [
  JobKind,
  ...JobKind[],
];

export const factsOf = (kind: JobKind): JobKindFacts<JobParams> => KINDS[kind];

/** A kind, or the word that stood for it before it was a kind of its own. */
export type JobWord = JobKind | FormerWord;

/** The word of a kind in ids and order hashes. */
export const familyOf = (kind: JobKind): JobWord => factsOf(kind).formerly ?? kind;

export const JOB_WORDS = [
  ...new Set<JobWord>([...JOB_KINDS, ...JOB_KINDS.map(familyOf)]),
] as readonly JobWord[] as readonly [JobWord, ...JobWord[]];

/** The kinds a word stands for; one that is a kind is that kind. */
export const kindsOf = (word: JobWord): readonly JobKind[] =>
  JOB_KINDS.filter((kind) => kind === word || (!isKind(word) && familyOf(kind) === word));

const isKind = (word: string): word is JobKind => Object.hasOwn(KINDS, word);

/** Whether a message of this word may be about a job of this kind. */
export const meansKind = (word: JobWord, kind: JobKind): boolean =>
  word === kind || word === familyOf(kind);

/** The queue that a word's messages travel on. */
export const jobQueueOf = (word: JobWord): QueueName =>
  KINDS[isKind(word) ? word : (kindsOf(word)[0] ?? "ingest")].queue;

/** The queues that carry jobs. */
export const JOB_QUEUES = [...new Set(JOB_KINDS.map((kind) => KINDS[kind].queue))] as const;

/** Every word that a row of a queue's jobs may have, those of an older version included. */
export const wordsOn = (queue: QueueName): readonly JobWord[] =>
  JOB_WORDS.filter((word) => jobQueueOf(word) === queue);

const BY_MODE: Readonly<Partial<Record<JobParams["mode"], JobKind>>> = {
  portfolio: "optimization",
  backtest: "backtest",
  portfolioBacktest: "backtest",
  crossCheck: "cross_check",
  resolve: "evaluation",
};

/** The kind of a row; an older version wrote a family's word and told the rest by the mode. */
export const kindOfRow = (word: string, { mode }: Pick<JobParams, "mode">): JobKind => {
  const told = BY_MODE[mode];
  if (told !== undefined) return told;
  return isKind(word) ? word : "optimization";
};

/** The kind that a person or a schedule means by a word, and by asking only for what is due. */
export const orderedKind = (word: JobWord, onlyDue: boolean): JobKind =>
  word === "recommendation" && onlyDue ? "evaluation" : (kindsOf(word)[0] ?? "ingest");

/** The words that a person or a schedule may order by; the other kinds have routes of their own. */
export const ORDERED_WORDS = JOB_WORDS.filter(
  (word) => factsOf(orderedKind(word, false)).order !== null,
) as readonly JobWord[] as readonly [JobWord, ...JobWord[]];

/** The params of what a person or a schedule orders for an instant (epoch ms). */
export function orderedParams(kind: JobKind, until: number, backfill = false): JobParams {
  const { order } = factsOf(kind);
  if (order === null) throw new Error(`a job of kind ${kind} is not ordered like this`);
  return order(until, backfill);
}
