import { toSnakeCase } from "../job/error-codes.ts";

/** What one call of an external service says about that service. */
export type Verdict =
  /** It answered. The content (no data, a refused request) concerns us and not its health. */
  | { readonly kind: "answered" }
  /** It answered that we ask too often. */
  | {
      readonly kind: "rateLimited";
      readonly detail: string;
      readonly retryAfterSeconds: number | null;
    }
  /** It answered that it will not serve us: a key, a contract. Trouble, but it is up. */
  | { readonly kind: "rejected"; readonly detail: string; readonly code: string }
  | { readonly kind: "timeout"; readonly detail: string; readonly timeoutMs: number }
  /** Unavailable: no connection, or an answer of the class 5xx. */
  | {
      readonly kind: "unavailable";
      readonly detail: string;
      readonly code: string;
      /** False when there was no connection. */
      readonly reached?: false;
    }
  /** It answered something unreadable. */
  | { readonly kind: "malformed"; readonly detail: string; readonly code: string };

/** The technical event of each kind of trouble; null for none. */
export const TROUBLE_OF = {
  answered: null,
  rateLimited: "RateLimitExceeded",
  rejected: "IntegrationError",
  timeout: "ExternalServiceTimeout",
  unavailable: "IntegrationError",
  malformed: "IntegrationError",
} as const satisfies Record<Verdict["kind"], string | null>;

export type Trouble = NonNullable<(typeof TROUBLE_OF)[Verdict["kind"]]>;

/**
 * Counts the call as a failure of the service, as a success of it, or as neither. A rate limit
 * shows that it is up, but not that it would have served us, so it does not end the failures in a
 * row.
 */
export function weigh({ kind }: Verdict): "failure" | "success" | "neither" {
  switch (kind) {
    case "timeout":
    case "unavailable":
    case "malformed":
      return "failure";
    case "answered":
    case "rejected":
      return "success";
    case "rateLimited":
      return "neither";
  }
}

/** True if the failure cannot be the fault of the request: no server read it. */
export const concernsService = (verdict: Verdict): boolean =>
  verdict.kind === "unavailable" && verdict.reached === false;

/** A price source's answer, by the name of its outcome. */
export function verdictOfSource(
  answer: {
    readonly outcome: string;
    readonly detail?: string;
    readonly retryAfterSeconds?: number;
    readonly reached?: false;
  },
  timeoutMs: number,
): Verdict {
  const detail = answer.detail ?? "";
  const code = `source.${toSnakeCase(answer.outcome)}`;
  switch (answer.outcome) {
    case "Timeout":
      return { kind: "timeout", detail, timeoutMs };
    case "Unavailable":
      return {
        kind: "unavailable",
        detail,
        code,
        ...(answer.reached === false ? { reached: false } : {}),
      };
    case "MalformedPayload":
      return { kind: "malformed", detail, code };
    case "RateLimited":
      return { kind: "rateLimited", detail, retryAfterSeconds: answer.retryAfterSeconds ?? null };
    case "NotConfigured":
    case "GeoBlocked":
      return { kind: "rejected", detail, code };
    default:
      return { kind: "answered" };
  }
}

/**
 * A receiver's answer to a POST. Redirects and refusals are answers: the delivery's own schedule
 * treats them.
 */
export function verdictOfPost(
  answer: {
    readonly status: number | null;
    readonly error: string | null;
    readonly timedOut: boolean;
    readonly retryAfterSeconds: number;
  },
  timeoutMs: number,
): Verdict {
  const { status, error, timedOut, retryAfterSeconds } = answer;
  if (timedOut) return { kind: "timeout", detail: error ?? "", timeoutMs };
  if (status === null)
    return {
      kind: "unavailable",
      detail: error ?? "",
      code: "receiver_unreachable",
      reached: false,
    };
  const detail = `the receiver answered ${status}`;
  if (status === 429) {
    return {
      kind: "rateLimited",
      detail,
      retryAfterSeconds: retryAfterSeconds > 0 ? retryAfterSeconds : null,
    };
  }
  if (status >= 500) return { kind: "unavailable", detail, code: "receiver_failing" };
  return { kind: "answered" };
}
