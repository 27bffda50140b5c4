import type { Context } from "hono";
import type { ApiEnv } from "./platform.ts";

const OWN_NAME = /^(127\.0\.0\.1|localhost|\[::1\])$/;

/**
 * Whether we run on the developer's own machine and are asked for by a name of that machine (a page
 * of another origin that has its name resolved to us asks by its own). Only then is data shown
 * without a key. The name is the Host header that was really sent: the address of a request may
 * have been rewritten on its way (wrangler's MF-Original-URL).
 */
export const isOwnMachine = (c: Context<ApiEnv>): boolean =>
  c.env.api.config.ENVIRONMENT === "local" &&
  OWN_NAME.test(new URL(c.req.url).hostname) &&
  OWN_NAME.test(hostNameOf(c.req.header("host") ?? new URL(c.req.url).host));

/** The name in a Host header, without its port; "" for what is none. */
const hostNameOf = (host: string): string =>
  /^[^\s/@?#\\]+$/.test(host) ? (URL.parse(`http://${host}`)?.hostname ?? "") : "";
