import ipaddr from "ipaddr.js";

export interface EndpointRules {
  /**
   * Lets http://127.0.0.1 and http://localhost be registered; only ever on a developer's own
   * machine.
   */
  readonly allowLoopback: boolean;
  /** Hosts that are ourselves: calling them back would be a loop. */
  readonly ownHosts: readonly string[];
}

/** A parsed URL, as the WHATWG standard names its parts. */
export interface EndpointUrl {
  readonly protocol: string;
  readonly username: string;
  readonly password: string;
  readonly hostname: string;
  readonly port: string;
  readonly hash: string;
}

/** Names that mean this machine or a private network wherever they are resolved. */
const PRIVATE_SUFFIXES = [
  ".localhost",
  ".local",
  ".internal",
  ".home.arpa",
  ".lan",
  ".intranet",
  ".corp",
];

/**
 * The reason why an address cannot be a webhook endpoint, or null when it can. A Worker cannot pin
 * the address a name resolves to, so this refuses everything that is not a public https host by its
 * spelling (`new URL` has already folded decimal, hex, octal and full-width spellings of IP
 * addresses). Redirects are not followed when delivering.
 */
export function endpointProblem(url: EndpointUrl, rules: EndpointRules): string | null {
  if (url.username !== "" || url.password !== "") return "it may not carry a user name or password";
  if (url.hash !== "") return "it may not have a fragment";
  const host = url.hostname
    .replace(/^\[|\]$/g, "")
    .replace(/\.$/, "")
    .toLowerCase();
  if (rules.allowLoopback && isLoopback(host)) {
    return url.protocol === "http:" || url.protocol === "https:"
      ? null
      : "it must be http or https";
  }
  if (url.protocol !== "https:") return "it must be https";
  if (url.port !== "") return "it must use port 443";
  if (ipaddr.isValid(host)) return addressProblem(host);
  if (host === "localhost" || !host.includes(".")) return `${host} is not a public host name`;
  if (PRIVATE_SUFFIXES.some((suffix) => host.endsWith(suffix)))
    return `${host} is not a public host name`;
  if (rules.ownHosts.includes(host)) return "it is this installation itself";
  return null;
}

function isLoopback(host: string): boolean {
  return (
    host === "localhost" || (ipaddr.isValid(host) && ipaddr.process(host).range() === "loopback")
  );
}

/**
 * Only ordinary public unicast passes; `process` unwraps IPv4 in IPv6. `::/96` is the old spelling
 * of the same trick.
 */
export function addressProblem(host: string): string | null {
  const address = ipaddr.process(host);
  if (address instanceof ipaddr.IPv6 && address.parts.slice(0, 6).every((part) => part === 0)) {
    return "it is not a public address";
  }
  return address.range() === "unicast" ? null : `it is not a public address (${address.range()})`;
}
