/**
 * Names under which a browser on this machine asks for us. A page of elsewhere that has its name
 * resolved to us asks by its own.
 */
const OWN_NAMES = ["127.0.0.1", "localhost", "[::1]"];

/**
 * Paths of the simulator itself: triggers, storage, explorer. Only the starter may use them, and
 * not through here.
 */
const SIMULATORS_PATH = /^\/+(cdn-cgi|__cf_local)(\/|$)/i;

/** Headers that tell the simulator the caller's identity. No caller may send them. */
const SIMULATORS_HEADER = /^(mf-|cf-|x-forwarded-|x-mf-)/i;

/** Headers of one connection, which end at each hop (RFC 9110, 7.6.1). `host` is passed on. */
const HOP_BY_HOP = new Set([
  "connection",
  // Answered by Node itself.
  "expect",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

export interface GateRequest {
  readonly target: string;
  /** Names and values alternately, as they were sent. */
  readonly rawHeaders: readonly string[];
}

export type GateDecision =
  | { readonly pass: true; readonly path: string; readonly headers: string[] }
  | {
      readonly pass: false;
      readonly status: 400 | 404 | 421;
      readonly code: string;
      readonly title: string;
      readonly detail: string;
    };

/**
 * Decides whether a request may go on to the Worker, and with which path: the checked path is the
 * forwarded one.
 */
export function decideGate({ target, rawHeaders }: GateRequest): GateDecision {
  const headers = pairs(rawHeaders);
  const hosts = headers.filter(([name]) => name.toLowerCase() === "host");
  if (hosts.length !== 1 || !isOwnHost(hosts[0]?.[1] ?? ""))
    return {
      pass: false,
      status: 421,
      code: "misdirected_request",
      title: "This is not the host that was asked for",
      detail: `Ask for ${OWN_NAMES.join(", ")}: under other names this installation does not answer.`,
    };
  const url = target.startsWith("/") ? URL.parse(`http://127.0.0.1${target}`) : null;
  if (url === null)
    return {
      pass: false,
      status: 400,
      code: "malformed_request",
      title: "The request cannot be read",
      detail: "The target of a request is a path that begins with a slash.",
    };
  if (SIMULATORS_PATH.test(url.pathname))
    return {
      pass: false,
      status: 404,
      code: "not_found",
      title: "Not found",
      detail: `There is nothing at ${url.pathname.slice(0, 200)}.`,
    };
  return { pass: true, path: `${url.pathname}${url.search}`, headers: passedOn(headers) };
}

/** The port may differ from ours, through a tunnel. */
export function isOwnHost(host: string): boolean {
  if (!/^[\w.[\]:-]+$/.test(host)) return false;
  return OWN_NAMES.includes(URL.parse(`http://${host}`)?.hostname ?? "");
}

function passedOn(headers: readonly (readonly [string, string])[]): string[] {
  // A connection may name further headers that are its own.
  const named = new Set(
    headers
      .filter(([name]) => name.toLowerCase() === "connection")
      .flatMap(([, value]) => value.toLowerCase().split(/\s*,\s*/)),
  );
  named.delete("host");
  return headers
    .filter(([name]) => {
      const lower = name.toLowerCase();
      return !HOP_BY_HOP.has(lower) && !named.has(lower) && !SIMULATORS_HEADER.test(lower);
    })
    .flat();
}

/** Headers of an answer, without those of its connection. */
export const answerHeaders = (rawHeaders: readonly string[]): string[] =>
  passedOn(pairs(rawHeaders));

const pairs = (raw: readonly string[]): [string, string][] =>
  Array.from({ length: Math.floor(raw.length / 2) }, (_, at) => [
    raw[at * 2] ?? "",
    raw[at * 2 + 1] ?? "",
  ]);
