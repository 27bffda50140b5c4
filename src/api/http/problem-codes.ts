/**
 * The one table from what is wrong to HTTP. A new code does not compile until it has its line here.
 */
export const PROBLEMS = {
  malformed_request: [400, "The request cannot be read"],
  invalid_query: [400, "A parameter is not valid"],
  invalid_cursor: [400, "The cursor is not one of ours"],
  unauthorized: [401, "No valid API key"],
  forbidden: [403, "The API key lacks a scope"],
  not_found: [404, "Not found"],
  cursor_gone: [410, "The cursor points beyond the end of the feed"],
  method_not_allowed: [405, "The method is not allowed here"],
  conflict: [409, "It conflicts with what is there"],
  plan_changed: [409, "The plan is no longer what it was"],
  idempotency_in_progress: [409, "The same request is still being worked on"],
  precondition_failed: [412, "It is not what the request is meant for"],
  payload_too_large: [413, "The body is too large"],
  unsupported_media_type: [415, "The content type is not understood"],
  idempotency_conflict: [422, "The Idempotency-Key was used for another request"],
  validation_failed: [422, "The content is not valid"],
  conflicting_limits: [422, "The limits cannot all be kept"],
  not_computable: [422, "It cannot be computed from what there is"],
  too_many_open: [429, "Too much of it is waiting already"],
  rate_limited: [429, "Too many requests"],
  internal: [500, "Something failed on our side"],
  bad_environment: [503, "The installation is not configured correctly"],
  unavailable: [503, "A part we depend on is out"],
} as const satisfies Record<string, readonly [number, string]>;

/**
 * Where the codes are explained; a URI reference that resolves against the request (RFC 9457,
 * 3.1.1).
 */
export const ERROR_PAGE = "/api/docs/errors";

export type ProblemCode = keyof typeof PROBLEMS;
