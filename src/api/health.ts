import { Hono } from "hono";
import { iso } from "../domain/iso.ts";
import type { ApiEnv } from "./http/platform.ts";
import { ApiProblem } from "./http/problem.ts";

export const health = new Hono<ApiEnv>();

/** The process answers. */
health.get("/health", (c) => c.json({ status: "ok", version: c.env.api.config.CODE_VERSION }));

/** What we need answers too: the database is there and its migrations have run. */
health.get("/ready", async (c) => {
  try {
    const row = await c.env.DB.prepare(
      "SELECT market_now AS marketNow, wall_at AS wallAt FROM clock WHERE id = 1",
    ).first<{
      marketNow: number;
      wallAt: number;
    }>();
    return c.json({
      status: "ready",
      database: "ok",
      marketNow: row === null ? null : iso(row.marketNow),
      lastTickAt: row === null ? null : iso(row.wallAt),
      demo: c.env.api.config.DEMO,
    });
  } catch (error) {
    c.env.api.log({ level: "error", message: "not ready", error: String(error) });
    throw new ApiProblem(
      "unavailable",
      "The database does not answer or has no tables yet.",
      undefined,
      {
        "retry-after": "5",
      },
    );
  }
});
