import { retryAfterSeconds } from "../domain/delivery/retry-after.ts";
import type { SourceFailure } from "./price-source.ts";

/**
 * The refusal of a price request for an HTTP status other than 2xx. `now`: epoch ms, for a wait
 * given as a date.
 */
export const failureOfStatus = (response: Response, now?: number): SourceFailure => {
  const { status } = response;
  const detail = `the source answered ${status}`;
  if (status === 404) return { outcome: "NoData", detail };
  // 418: the IP is banned after repeated 429s.
  if (status === 429 || status === 418)
    return { outcome: "RateLimited", detail, ...retryAfter(response, now) };
  if (status === 401 || status === 403) return { outcome: "NotConfigured", detail };
  if (status === 451) return { outcome: "GeoBlocked", detail };
  if (status === 408 || status === 504) return { outcome: "Timeout", detail };
  if (status >= 500) return { outcome: "Unavailable", detail, ...retryAfter(response, now) };
  // A redirect or a request it does not understand: we and the source do not agree on the contract.
  return { outcome: "MalformedPayload", detail };
};

/**
 * Without `now` (epoch ms) only the form in seconds counts. A date that has passed asks for the
 * shortest wait.
 */
function retryAfter(response: Response, now: number | undefined): { retryAfterSeconds?: number } {
  const text = response.headers.get("retry-after")?.trim() ?? "";
  if (now === undefined && !/^\d+$/.test(text)) return {};
  const seconds = retryAfterSeconds(text, now ?? 0);
  return seconds === null ? {} : { retryAfterSeconds: Math.max(1, seconds) };
}

/** The refusal for a rejected fetch, or a body that broke off. */
export const failureOfError = (error: unknown): SourceFailure => {
  const name = error instanceof Error ? error.name : "";
  if (name === "TimeoutError")
    return { outcome: "Timeout", detail: "the source did not answer in time" };
  if (name === "AbortError")
    return { outcome: "Unavailable", detail: "the question was withdrawn" };
  return { outcome: "Unavailable", detail: "the source could not be reached", reached: false };
};
