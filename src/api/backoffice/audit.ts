import * as z from "zod";
import { iso } from "../../domain/iso.ts";
import { listAudit } from "../../records/operations/audit-reads.ts";
import { listLimit, listOf, operation, page, readCursor, router } from "../http/schemas.ts";

const auditView = z
  .object({
    id: z.string(),
    at: z.string(),
    actor: z.string(),
    action: z.string(),
    subject: z.string(),
    outcome: z.string(),
    detail: z.string().nullable(),
    traceparent: z
      .string()
      .nullable()
      .meta({ description: "W3C Trace Context of what it was done for" }),
  })
  .meta({ id: "AuditEntry" });

export const audit = router();

audit.openapi(
  operation(
    {
      method: "get",
      path: "/backoffice/audit",
      scope: "ops:read",
      summary: "Who did what, newest first",
      tag: "Backoffice",
    },
    { query: z.object({ limit: listLimit, cursor: z.string().optional() }) },
    200,
    listOf(auditView),
  ),
  async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const before = readCursor(cursor, z.tuple([z.string()]))?.[0] ?? null;
    const rows = await listAudit(c.get("reads"), before, limit + 1);
    return c.json(
      page(
        rows,
        limit,
        ({ id }) => [id],
        (row) => ({ ...row, at: iso(row.at) }),
      ),
      200,
    );
  },
);
