import {
  factsOf,
  familyOf,
  JOB_KINDS,
  JOB_WORDS,
  type JobKind,
  type JobWord,
} from "./job-kinds.ts";
import type { RetryPolicy } from "./retry-policy.ts";

/** What is retried beside jobs, whether this version runs it yet or not. */
const OTHERS = {
  document: { type: "table", waitSeconds: [60, 300, 900, 3600, 21_600] },
  reconcile: { type: "backoff", attempts: 6, baseSeconds: 10, capSeconds: 1800 },
  notification: { type: "backoff", attempts: 6, baseSeconds: 10, capSeconds: 3600 },
} as const satisfies Readonly<Record<string, RetryPolicy>>;
type Other = keyof typeof OTHERS;

/** What the setting RETRY_POLICIES may name: a word of before it was split counts for all of it. */
export const RETRIED_WORDS = [...JOB_WORDS, ...(Object.keys(OTHERS) as Other[])] as const;

export type RetryPolicies = Readonly<Record<JobKind | Other, RetryPolicy>>;

/** The policies with what the environment says: of a kind, else of its family. */
export function policiesWith(
  given: Readonly<Partial<Record<JobWord | Other, RetryPolicy>>>,
): RetryPolicies {
  const jobs = JOB_KINDS.map((kind) => {
    return [kind, given[kind] ?? given[familyOf(kind)] ?? factsOf(kind).policy];
  });
  const others = Object.entries(OTHERS).map(([name, policy]) => [
    name,
    given[name as Other] ?? policy,
  ]);
  return Object.fromEntries([...jobs, ...others]) as RetryPolicies;
}

/** The policies unless the environment says otherwise. */
export const RETRY_POLICIES: RetryPolicies = policiesWith({});
