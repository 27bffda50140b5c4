import * as z from "zod";
import { ACTION_TYPES } from "../../domain/asset/corporate-action.ts";
import { iso } from "../../domain/iso.ts";
import { listActions, type StoredAction } from "../../read-model/corporate-actions.ts";
import {
  listLimit,
  listOf,
  operation,
  page,
  readCursor,
  router,
  symbolParams,
} from "../http/schemas.ts";
import { about, aboutView, mainQualityOf } from "./asset-description.ts";
import { requireAsset } from "./assets.ts";

const adjustment = {
  exDate: z.iso.date(),
  source: z.string().meta({ description: "who told us" }),
};

const actionView = z
  .discriminatedUnion("type", [
    z.object({
      type: z.literal("dividend"),
      ...adjustment,
      amount: z
        .number()
        .meta({ description: "cash for one share, on the scale of the stored bars" }),
      currency: z.string(),
    }),
    z.object({
      type: z.literal("split"),
      ...adjustment,
      numerator: z.number().meta({ description: "so many new shares …" }),
      denominator: z.number().meta({ description: "… for so many old ones" }),
    }),
  ])
  .meta({ id: "CorporateAction" });

function show(action: StoredAction, currency: string): z.infer<typeof actionView> {
  const exDate = iso(action.exDate).slice(0, 10);
  const { source } = action;
  if (action.type === "dividend") {
    const { type, amount } = action;
    return { type, exDate, amount, currency, source };
  }
  const { type, numerator, denominator } = action;
  return { type, exDate, numerator, denominator, source };
}

/** Raise it when the same records would be told otherwise. */
const ACTIONS_ENGINE = { engine: "corporateActions", engineVersion: "1" };

export const corporateActions = router();

corporateActions.openapi(
  operation(
    {
      method: "get",
      path: "/assets/{symbol}/corporate-actions",
      scope: "assets:read",
      summary: "Dividends and splits, newest first",
      tag: "Market data",
    },
    { params: symbolParams, query: z.object({ limit: listLimit, cursor: z.string().optional() }) },
    200,
    listOf(actionView).extend(aboutView),
  ),
  async (c) => {
    const { symbol } = c.req.valid("param");
    const { limit, cursor } = c.req.valid("query");
    const place = readCursor(cursor, z.tuple([z.number().int(), z.enum(ACTION_TYPES)]));
    const reads = c.get("reads");
    const asset = await requireAsset(reads, symbol);
    const { currency } = asset;
    const after = place === null ? null : { exDate: place[0], type: place[1] };
    const rows = await listActions(reads, symbol, after, limit + 1);
    const shown = page(
      rows,
      limit,
      ({ exDate, type }) => [exDate, type],
      (row) => show(row, currency),
    );
    const quality = await mainQualityOf(c.env, reads, asset);
    return c.json({ ...shown, ...about(quality, ACTIONS_ENGINE) }, 200);
  },
);
