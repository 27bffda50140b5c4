import ipaddr from "ipaddr.js";
import * as z from "zod";
import { addressProblem } from "../domain/delivery/endpoint-url.ts";
import type { Log } from "../domain/trace/log-context.ts";

const TIMEOUT_MS = 3_000;
const MAX_BYTES = 65_536;
const MAX_ADDRESSES = 50;
/** IPv4 and IPv6, by name and by the number they have in an answer. */
const TYPES = [
  ["A", 1],
  ["AAAA", 28],
] as const;

/** Resolvers' response to `application/dns-json`. */
const answerSchema = z.object({
  Answer: z.array(z.object({ type: z.number(), data: z.string() })).optional(),
});

/**
 * The reason why a host's name may not be called, or null. By a lookup over HTTPS at `resolver`, it
 * resolves to an address that is not public. A Worker cannot pin the address of a name, so this is
 * checked at each attempt. A resolver that is unavailable, slow or unreadable blocks no delivery;
 * there is no lookup without a resolver, or for an address.
 */
export async function nameProblem(
  hostname: string,
  resolver: string | null,
  log: Log,
): Promise<string | null> {
  const host = hostname.replace(/\.$/, "");
  if (resolver === null || ipaddr.isValid(host.replace(/^\[|\]$/g, ""))) return null;
  const found = await Promise.all(
    TYPES.map(([name, type]) =>
      addressesOf(host, name, type, resolver).catch((error: unknown) => {
        log({
          level: "warn",
          message: "a name could not be asked for",
          host,
          type: name,
          error: String(error),
        });
        return [];
      }),
    ),
  );
  for (const address of found.flat()) {
    if (ipaddr.isValid(address) && addressProblem(address) !== null)
      return `${host} leads to ${address}, which is not a public address`;
  }
  return null;
}

async function addressesOf(
  host: string,
  name: string,
  type: number,
  resolver: string,
): Promise<string[]> {
  const url = new URL(resolver);
  url.searchParams.set("name", host);
  url.searchParams.set("type", name);
  const response = await fetch(url, {
    headers: { accept: "application/dns-json" },
    redirect: "manual",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`the resolver answered ${response.status}`);
  }
  const { Answer = [] } = answerSchema.parse(JSON.parse(await boundedText(response)));
  return Answer.filter((one) => one.type === type)
    .slice(0, MAX_ADDRESSES)
    .map(({ data }) => data);
}

async function boundedText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MAX_BYTES) throw new Error("the resolver's answer has no end");
  }
  return text;
}
