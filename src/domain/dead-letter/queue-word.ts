import { JOB_WORDS, jobQueueOf } from "../job/job-kinds.ts";
import { queueNamed } from "../queue/queues.ts";

/**
 * The queue that a filter names. Dead letters used to be filed under kinds of job and under the
 * platform's names too, and whoever still asks by those is understood.
 */
export function queueWord(word: string): string {
  const kind = JOB_WORDS.find((one) => one === word);
  if (kind !== undefined) return jobQueueOf(kind);
  return word === "unknown" ? "dead-letters" : (queueNamed(word) ?? word);
}
