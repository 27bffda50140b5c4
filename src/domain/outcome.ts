/**
 * Outcome of a piece of work. Only `later` is retried; every kind has exactly one treatment (see
 * queues/consumer.ts).
 */
export type Outcome<T> =
  | { readonly kind: "done"; readonly value: T }
  | {
      readonly kind: "later";
      readonly error: Problem;
      readonly afterSeconds?: number;
      /**
       * The service was unavailable and no other subject is known to be served: that must not use
       * up the last attempt.
       */
      readonly sparesLast?: true;
    }
  | { readonly kind: "refused"; readonly error: Problem };

/**
 * Description of an error, for people and programs: `code` is stable and English, `errors` points
 * at the rows or fields.
 */
export interface Problem {
  readonly code: string;
  readonly detail: string;
  readonly errors?: readonly ProblemItem[];
  /** Total number of errors, when `errors` lists only the first of them. */
  readonly total?: number;
}

export interface ProblemItem {
  readonly field: string;
  readonly reason: string;
  readonly row?: number;
  readonly line?: number | null;
  readonly value?: string;
}

export const done = <T>(value: T): Outcome<T> => ({ kind: "done", value });

export const refused = (error: Problem): Outcome<never> => ({ kind: "refused", error });

export const later = (error: Problem, afterSeconds?: number): Outcome<never> =>
  afterSeconds === undefined ? { kind: "later", error } : { kind: "later", error, afterSeconds };
