import { Hono } from "hono";
import * as z from "zod";
import { isEventType } from "../../domain/events/catalogue.ts";
import type { ApiEnv } from "../http/platform.ts";
import { ApiProblem } from "../http/problem.ts";
import { schemaOf } from "./payload-schemas.ts";

export const eventSchemas = new Hono<ApiEnv>();

/**
 * A version never changes once published, so receivers may keep it for ever. No key: receivers have
 * none.
 */
eventSchemas.get("/schemas/:type/:version", (c) => {
  const { type, version } = c.req.param();
  const payload =
    isEventType(type) && /^[1-9]\d{0,3}$/.test(version) ? schemaOf(type, Number(version)) : null;
  if (payload === null) {
    throw new ApiProblem("not_found", `There is no schema ${type}/${version}.`);
  }
  const id = `${c.env.api.config.PUBLIC_ORIGIN}/api/v1/schemas/${type}/${version}`;
  const schema = { $id: id, title: type, ...z.toJSONSchema(payload, { target: "draft-7" }) };
  return c.json(schema, 200, { "cache-control": "public, max-age=31536000, immutable" });
});
