/** Requests that must be refused: the request, and the expected status and code. */
export interface BadRequest {
  readonly name: string;
  readonly method?: string;
  /** Below /api/v1. */
  readonly path: string;
  /** Sent as JSON; `text` is sent unchanged. */
  readonly json?: unknown;
  readonly text?: string;
  readonly type?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly status: number;
  readonly code?: string;
  /** A field that `errors` must name. */
  readonly field?: string;
}

/** An asset that is there, with bars. */
export const KNOWN = "GOOD-USD";

const UNKNOWN_ID = "01890000-0000-7000-8000-000000000000";
const bars = `/assets/${KNOWN}/bars`;

const asked = (path: string, status: number, code: string, field?: string): BadRequest => ({
  name: `GET ${path.slice(0, 100)}`,
  path,
  status,
  code,
  ...(field === undefined ? {} : { field }),
});

export const BAD_QUERIES: readonly BadRequest[] = [
  // Addresses
  asked("/assets/NOPE", 404, "not_found"),
  asked("/assets/NOPE/bars", 404, "not_found"),
  asked("/assets/NOPE/indicators", 404, "not_found"),
  asked("/assets/NOPE/analysis", 404, "not_found"),
  asked("/assets/NOPE/performance", 404, "not_found"),
  asked("/assets/NOPE/recommendations", 404, "not_found"),
  asked("/assets/good-usd", 400, "invalid_query", "symbol"),
  asked("/assets/%00", 400, "invalid_query", "symbol"),
  asked("/assets/A%2FB", 400, "invalid_query", "symbol"),
  asked(`/assets/${"A".repeat(33)}`, 400, "invalid_query", "symbol"),
  asked("/nothing-here", 404, "not_found"),
  asked("/assets/NOPE/nothing", 404, "not_found"),
  asked("/recommendations/not-a-uuid", 400, "invalid_query", "id"),
  asked(`/recommendations/${UNKNOWN_ID}`, 404, "not_found"),
  asked(`/recommendations/${UNKNOWN_ID}/provenance`, 404, "not_found"),
  asked("/recommendations/1/provenance", 400, "invalid_query", "id"),
  asked("/events/not-a-uuid", 400, "invalid_query", "id"),
  asked(`/events/${UNKNOWN_ID}`, 404, "not_found"),
  asked("/jobs/nope", 404, "not_found"),
  asked(`/jobs/${"x".repeat(300)}`, 400, "invalid_query", "id"),
  asked("/webhook-endpoints/nope", 404, "not_found"),
  asked("/webhook-endpoints/nope/deliveries", 404, "not_found"),
  asked("/deliveries/nope", 404, "not_found"),
  asked("/schedules/nope", 404, "not_found"),
  asked("/backoffice/dead-letters/nope", 404, "not_found"),
  asked("/backtests/nope", 404, "not_found"),
  asked("/backtests?limit=0", 400, "invalid_query", "limit"),
  asked("/backtests?cursor=x", 400, "invalid_cursor"),
  asked("/portfolios/nope", 404, "not_found"),
  asked("/portfolios/nope/optimizations", 404, "not_found"),
  asked("/portfolios/nope/optimizations/nope", 404, "not_found"),
  asked("/portfolios/nope/frontier", 404, "not_found"),
  asked("/portfolios/nope/frontier?points=0", 400, "invalid_query", "points"),
  asked("/jobs?portfolioId=x&symbol=SPX", 400, "invalid_query", "portfolioId"),
  // Parameters
  ...["0", "-1", "1000000000", "abc", "1.5", "1e3", "", "1001", "NaN"].map((limit) =>
    asked(`${bars}?limit=${limit}`, 400, "invalid_query", "limit"),
  ),
  ...[
    "/assets",
    "/events",
    "/jobs",
    "/schedules",
    "/webhook-endpoints",
    "/recommendations",
    "/portfolios",
    "/backoffice/audit",
  ].map((path) => asked(`${path}?limit=201`, 400, "invalid_query", "limit")),
  ...[
    "yesterday",
    "2020-13-01",
    "2020-02-30",
    "01/02/2020",
    "1577836800",
    "2020-01-01T00:00:00",
    "9e999",
  ].map((from) => asked(`${bars}?from=${from}`, 400, "invalid_query", "from")),
  asked(`${bars}?to=never`, 400, "invalid_query", "to"),
  asked(`${bars}?from=2020-01-02&to=2020-01-01`, 400, "invalid_query", "from"),
  asked(`/assets/${KNOWN}/performance?from=2020-01-02&to=2020-01-01`, 400, "invalid_query", "from"),
  asked(`${bars}?resolution=2d`, 400, "invalid_query", "resolution"),
  asked(`/assets/${KNOWN}/analysis?asOf=soon`, 400, "invalid_query", "asOf"),
  asked(`/assets/${KNOWN}/analysis?asOf=1990-01-01`, 404, "not_found"),
  ...["x", "%25", "bnVsbA", "WzEsMl0", "e30", "WyJhIl0", "W251bGxd", "A".repeat(5000)].map(
    (cursor) => asked(`${bars}?cursor=${cursor}`, 400, "invalid_cursor"),
  ),
  ...[
    "/assets",
    "/events",
    "/jobs",
    "/schedules",
    "/webhook-endpoints",
    "/recommendations",
    "/portfolios",
    "/backoffice/audit",
    "/backoffice/dead-letters",
  ].map((path) => asked(`${path}?cursor=W3t9XQ`, 400, "invalid_cursor")),
  asked("/recommendations?action=MAYBE", 400, "invalid_query", "action"),
  asked("/recommendations?symbol=lower", 400, "invalid_query", "symbol"),
  asked("/jobs?kind=coffee", 400, "invalid_query", "kind"),
  asked("/jobs?state=lost", 400, "invalid_query", "state"),
  ...["a..b", "a*", "", ".", "a.b%20c", `${"a.".repeat(16)}a`, "a".repeat(257)].map((pattern) =>
    asked(`/events?pattern=${pattern}`, 400, "invalid_query", "pattern"),
  ),
  asked(`${bars}?ajusted=split`, 400, "invalid_query", "ajusted"),
  asked("/events?after=3", 400, "invalid_query", "after"),
  asked("/assets?limit=1&limit=2", 400, "invalid_query", "limit"),
  asked("/calendars/XXXX/sessions?from=2020-01-01&to=2020-02-01", 400, "invalid_query", "calendar"),
  asked("/calendars/XNYS/sessions?to=2020-02-01", 400, "invalid_query", "from"),
  asked("/calendars/XNYS/sessions?from=2020-02-30&to=2020-03-01", 400, "invalid_query"),
  asked("/calendars/XNYS/sessions?from=2020-02-01&to=2020-01-01", 400, "invalid_query"),
  asked("/calendars/XNYS/sessions?from=1000-01-01&to=9999-01-01", 400, "invalid_query"),
  asked("/backoffice/dead-letters?state=shut", 400, "invalid_query", "state"),
];

/** Method, path, and the methods that Allow must list. */
export const WRONG_METHODS: readonly (readonly [string, string, readonly string[]])[] = [
  ["PUT", "/assets", ["GET", "HEAD", "POST", "OPTIONS"]],
  ["DELETE", "/assets", ["GET", "HEAD", "POST", "OPTIONS"]],
  ["POST", `/assets/${KNOWN}`, ["GET", "HEAD", "PATCH", "DELETE", "OPTIONS"]],
  ["PUT", bars, ["GET", "HEAD", "POST", "OPTIONS"]],
  ["POST", `/assets/${KNOWN}/indicators`, ["GET", "HEAD", "OPTIONS"]],
  ["DELETE", "/jobs/x", ["GET", "HEAD", "OPTIONS"]],
  ["POST", "/recommendations", ["GET", "HEAD", "OPTIONS"]],
  ["DELETE", "/backtests", ["GET", "HEAD", "POST", "OPTIONS"]],
  ["PUT", "/portfolios/x", ["GET", "HEAD", "PATCH", "DELETE", "OPTIONS"]],
  ["DELETE", "/portfolios/x/optimizations", ["GET", "HEAD", "POST", "OPTIONS"]],
];
