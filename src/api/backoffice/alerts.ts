import * as z from "zod";
import { iso, isoOrNull } from "../../domain/iso.ts";
import { listAlerts } from "../../records/operations/alert-records.ts";
import { listOf, operation, router } from "../http/schemas.ts";

const alertView = z
  .object({
    rule: z.string(),
    state: z.enum(["ok", "pending", "raised"]),
    severity: z.enum(["warning", "critical"]),
    metric: z.string(),
    /** The last reading; null when there was none yet. */
    value: z.number().nullable(),
    raise: z.number(),
    clear: z.number(),
    forSeconds: z.number().int(),
    since: z.string().nullable(),
    readAt: z.string().nullable(),
    lastNotifiedAt: z.string().nullable(),
    /** Notifications that some channel has not taken yet. */
    pending: z.number().int(),
    text: z.string(),
  })
  .meta({ id: "Alert" });

export const alerts = router();

alerts.openapi(
  operation(
    {
      method: "get",
      path: "/backoffice/alerts",
      scope: "ops:read",
      summary: "The rules of alerts and how each of them stands",
      tag: "Backoffice",
    },
    { query: z.object({ state: z.enum(["ok", "pending", "raised"]).optional() }) },
    200,
    listOf(alertView),
  ),
  async (c) => {
    const { state } = c.req.valid("query");
    const recorded = new Map(
      (await listAlerts(c.get("reads"), null)).map((alert) => [alert.rule, alert]),
    );
    const items = c.env.api.config.ALERT_RULES.map((rule) => {
      const alert = recorded.get(rule.id);
      return {
        rule: rule.id,
        state: alert?.state ?? ("ok" as const),
        severity: rule.severity,
        metric: rule.metric,
        value: alert?.value ?? null,
        raise: rule.raise,
        clear: rule.clear,
        forSeconds: rule.forSeconds,
        since: alert === undefined ? null : iso(alert.since),
        readAt: alert === undefined ? null : iso(alert.readAt),
        lastNotifiedAt: isoOrNull(alert?.lastNotified ?? null),
        pending: alert?.pending.length ?? 0,
        text: rule.text,
      };
    }).filter((item) => state === undefined || item.state === state);
    // The rules are few: one page holds them.
    return c.json({ items, nextCursor: null }, 200);
  },
);
