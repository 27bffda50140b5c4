import type { SourceFailure } from "./price-source.ts";

const SECONDS = /^\d{1,6}$/;

/** What an HTTP status other than 2xx means for the one who asked for prices. */
export const failureOfStatus = (response: Response): SourceFailure => {
  const { status } = response;
  const detail = `the source answered ${status}`;
  if (status === 404) return { outcome: "NoData", detail };
  if (status === 429) return { outcome: "RateLimited", detail, ...retryAfter(response) };
  if (status === 401 || status === 403) return { outcome: "NotConfigured", detail };
  if (status === 451) return { outcome: "GeoBlocked", detail };
  if (status === 408 || status === 504) return { outcome: "Timeout", detail };
  if (status >= 500) return { outcome: "Unavailable", detail, ...retryAfter(response) };
  // A redirect or a request it does not understand: we and the source do not agree on the contract.
  return { outcome: "MalformedPayload", detail };
};

/** Only the form in seconds; the form with a date would need a clock that agrees with theirs. */
const retryAfter = (response: Response): { retryAfterSeconds?: number } => {
  const seconds = response.headers.get("retry-after") ?? "";
  return SECONDS.test(seconds) ? { retryAfterSeconds: Number(seconds) } : {};
};

/** What a rejected fetch, or a body that broke off, means. */
export const failureOfError = (error: unknown): SourceFailure => {
  const name = error instanceof Error ? error.name : "";
  if (name === "TimeoutError") return { outcome: "Timeout", detail: "the source did not answer in time" };
  if (name === "AbortError") return { outcome: "Unavailable", detail: "the question was withdrawn" };
  return { outcome: "Unavailable", detail: "the source could not be reached" };
};
