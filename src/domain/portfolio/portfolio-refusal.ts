import { toSnakeCase } from "../job/error-codes.ts";
import type { Problem } from "../outcome.ts";

export type PortfolioRefusalCode =
  | "tooFewReturns"
  | "unusablePrice"
  | "invalidInput"
  | "invalidLimits"
  | "conflictingLimits"
  | "unreachableReturn"
  | "unreachableVolatility"
  | "noExcessReturn"
  | "noVolatility"
  | "notSolved";

/**
 * The reason why there are no weights. `range` is the reachable range, both ends included, when a
 * target is out of reach.
 */
export interface PortfolioRefusal extends Problem {
  readonly code: PortfolioRefusalCode;
  readonly range?: { readonly min: number; readonly max: number };
}

/** A refusal of the mathematics as a job's error. */
export const problemOf = ({ code, detail, errors }: PortfolioRefusal): Problem => ({
  code: `portfolio.${toSnakeCase(code)}`,
  detail,
  ...(errors === undefined ? {} : { errors }),
});

/** An answer or the reason against it; assignable to `Outcome<T>`. */
export type Answer<T> =
  | { readonly kind: "done"; readonly value: T }
  | { readonly kind: "refused"; readonly error: PortfolioRefusal };

export const answered = <T>(value: T): Answer<T> => ({ kind: "done", value });

export const declined = (
  code: PortfolioRefusalCode,
  detail: string,
  more: Pick<PortfolioRefusal, "errors" | "range"> = {},
): Answer<never> => ({ kind: "refused", error: { code, detail, ...more } });
