import * as z from "zod";
import { listAssets } from "../../records/assets/asset-records.ts";
import { requireAsset } from "../assets/assets.ts";
import { auditRow } from "../http/audit-row.ts";
import {
  jsonBody,
  listOf,
  operation,
  page,
  readCursor,
  router,
  symbolSchema,
} from "../http/schemas.ts";

const outboxView = z
  .object({
    streamId: z.string(),
    symbol: z.string(),
    waiting: z.number(),
    oldestOccurredAt: z.string().nullable(),
    failures: z.number(),
    lastError: z.string().nullable(),
  })
  .meta({ id: "Outbox" });

/** Assets whose objects one request asks; each is a call, and a Worker has six connections. */
const OUTBOX_PAGE = 50;

export const outbox = router();
const tag = "Backoffice";

outbox.openapi(
  operation(
    {
      method: "get",
      path: "/backoffice/events/outbox",
      scope: "ops:read",
      summary: "Assets with events not yet published; asks each asset of the page itself",
      tag,
    },
    {
      query: z.object({ cursor: z.string().optional() }),
    },
    200,
    listOf(outboxView).extend({ checked: z.number() }),
  ),
  async (c) => {
    const after = readCursor(c.req.valid("query").cursor, z.tuple([z.string()]))?.[0] ?? "";
    const rows = await listAssets(c.get("reads"), after, OUTBOX_PAGE + 1);
    const states = await Promise.all(
      rows
        .slice(0, OUTBOX_PAGE)
        .map(async ({ symbol }) => ({ symbol, ...(await c.env.api.outboxOf(symbol)) })),
    );
    const items = states
      .filter(({ waiting }) => waiting > 0)
      .map((state) => ({ streamId: `asset/${state.symbol}`, ...state }));
    const { nextCursor } = page(
      rows,
      OUTBOX_PAGE,
      ({ symbol }) => [symbol],
      (row) => row,
    );
    return c.json({ items, nextCursor, checked: states.length }, 200);
  },
);

outbox.openapi(
  operation(
    {
      method: "post",
      path: "/backoffice/events/retry",
      scope: "ops:write",
      summary: "Publish what waits in an asset's outbox, now",
      tag,
    },
    jsonBody(z.strictObject({ symbol: symbolSchema })),
    200,
    outboxView,
  ),
  async (c) => {
    const { symbol } = c.req.valid("json");
    await requireAsset(c.env.DB, symbol);
    const state = await c.env.api.publishOutboxOf(symbol);
    await auditRow(c.env, c.get("caller").id, "outbox.retry", symbol).run();
    return c.json({ streamId: `asset/${symbol}`, symbol, ...state }, 200);
  },
);
