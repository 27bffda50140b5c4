import type { Context } from "hono";
import type { ApiEnv } from "./platform.ts";

/**
 * Whether we run on the developer's own machine and are asked for by a name of that machine (a page of another origin
 * that has its name resolved to us asks by its own). Only then is data shown without a key.
 */
export const isOwnMachine = (c: Context<ApiEnv>): boolean =>
  c.env.api.config.ENVIRONMENT === "local" &&
  /^(127\.0\.0\.1|localhost|\[::1\])$/.test(new URL(c.req.url).hostname);
