import * as z from "zod";
import { isoOrNull } from "../../domain/iso.ts";
import { ASSET_TYPES } from "../../domain/market/asset-type.ts";
import { RESOLUTIONS } from "../../domain/market/resolution.ts";
import { NOTICE } from "../../domain/notice.ts";
import { ACTIONS } from "../../domain/recommendation/recommendation.ts";
import { followRecommendations } from "../../domain/track-record/following.ts";
import { statisticsOf } from "../../domain/track-record/statistics.ts";
import {
  type GroupSums,
  TRACK_RECORD_GROUPS,
  trackRecordSums,
} from "../../read-model/track-record.ts";
import { ApiProblem } from "../http/problem.ts";
import {
  instantSchema,
  listLimit,
  operation,
  readCursor,
  router,
  symbolSchema,
  writeCursor,
} from "../http/schemas.ts";

/** What a change of position costs unless the request says otherwise: ten basis points. */
const COST = 0.001;
const HIGHEST_COST = 0.05;

const statistic = z
  .object({
    value: z.number().nullable(),
    low: z.number().nullable(),
    high: z.number().nullable(),
    n: z.number(),
    effectiveN: z
      .number()
      .meta({ description: "calls whose horizons do not overlap; intervals rest on these" }),
    reason: z.string().nullable().meta({ description: "why there is no value" }),
  })
  .meta({ id: "Figure" });

const count = z.object({ n: z.number(), hits: z.number() });

const recordView = z
  .object({
    group: z
      .string()
      .nullable()
      .meta({ description: "by groupBy; null when everything is one group" }),
    n: z.number().meta({ description: "resolved calls that were hit or miss" }),
    effectiveN: z.number(),
    void: z
      .number()
      .meta({ description: "resolved calls that nobody could have got right or wrong" }),
    actions: z.object({ BUY: count, HOLD: count, SELL: count }),
    hitRate: statistic,
    brier: statistic,
    baseRateBrier: statistic,
    brierDifference: statistic,
    skill: statistic,
    calibrationError: statistic,
    calibration: z.array(
      z.object({
        from: z.number(),
        to: z.number(),
        n: z.number(),
        meanConfidence: z.number().nullable(),
        hitRate: z.number().nullable(),
      }),
    ),
    following: z
      .object({
        cost: z.number(),
        series: z.number(),
        invested: z.number(),
        changes: z.number(),
        following: statistic,
        buyAndHold: statistic,
        difference: statistic,
      })
      .meta({
        description: "mean net return per horizon over calls that do not overlap, beside holding",
      }),
  })
  .meta({ id: "TrackRecord" });

const fraction = z
  .string()
  .regex(/^\d(\.\d{1,6})?$/, "a fraction like 0.001")
  .transform(Number)
  .refine((value) => value <= HIGHEST_COST, `at most ${HIGHEST_COST}`);

const name = z.string().min(1).max(100);

const query = z.object({
  symbol: symbolSchema.optional(),
  assetType: z.enum(ASSET_TYPES).optional(),
  engine: name.optional(),
  engineVersion: name.optional(),
  promptVersion: name.optional(),
  resolution: z.enum(RESOLUTIONS).optional(),
  action: z.enum(ACTIONS).optional(),
  from: instantSchema
    .optional()
    .meta({ description: "the bar a call was made on, at the earliest" }),
  to: instantSchema.optional(),
  groupBy: z.enum(TRACK_RECORD_GROUPS).optional(),
  cost: fraction.optional().meta({
    type: "number",
    minimum: 0,
    maximum: HIGHEST_COST,
    default: COST,
    description: "what a change of position costs, a fraction of its money",
  }),
  limit: listLimit,
  cursor: z.string().optional(),
});

const NOTES = [
  "What was so need not stay so.",
  "n counts every resolved call; calls made on following bars have overlapping horizons, so intervals rest on effectiveN, the calls of each series that do not overlap. Calls on different assets at the same time are not independent either, which no interval here allows for.",
  "Each call is judged once, by the bars as they were known then; a later revision changes no outcome.",
];

export const trackRecord = router();

trackRecord.openapi(
  operation(
    {
      method: "get",
      path: "/track-record",
      scope: "assets:read",
      summary: "What became of the recommendations",
      tag: "Recommendations",
    },
    { query },
    200,
    z.object({
      items: z.array(recordView),
      nextCursor: z.string().nullable(),
      looked: z
        .object({ rows: z.number(), complete: z.boolean(), from: z.string().nullable() })
        .meta({
          description:
            "the newest resolutions this rests on; when not complete, narrow from and to",
        }),
      notes: z.array(z.string()),
      notice: z.string(),
    }),
  ),
  async (c) => {
    const { limit, cursor, cost = COST, ...wanted } = c.req.valid("query");
    if (wanted.from !== undefined && wanted.to !== undefined && wanted.from > wanted.to)
      throw new ApiProblem("invalid_query", "from is after to.", [
        { field: "from", reason: "must not be after to" },
      ]);
    const after = readCursor(cursor, z.tuple([z.string()]))?.[0] ?? null;
    const { groups, looked } = await trackRecordSums(c.get("reads"), wanted, after, limit + 1);
    const shown = groups.slice(0, limit);
    const last = shown.at(-1);
    const items = shown.map((sums) => show(sums, wanted.groupBy !== undefined, cost));
    return c.json(
      {
        // Nothing resolved yet is an answer too: a record of nothing, and why.
        items:
          items.length > 0 || wanted.groupBy !== undefined ? items : [show(NOTHING, false, cost)],
        nextCursor: groups.length > limit && last !== undefined ? writeCursor([last.group]) : null,
        looked: { ...looked, from: isoOrNull(looked.from) },
        notes: NOTES,
        notice: NOTICE,
      },
      200,
    );
  },
);

const NOTHING: GroupSums = { group: "", void: 0, sums: [], recommendations: [] };

const show = (group: GroupSums, grouped: boolean, cost: number): z.infer<typeof recordView> => {
  const { calibration, actions, ...statistics } = statisticsOf(group.sums);
  return {
    group: grouped ? group.group : null,
    void: group.void,
    ...statistics,
    actions: { BUY: { ...actions.BUY }, HOLD: { ...actions.HOLD }, SELL: { ...actions.SELL } },
    calibration: calibration.map((bin) => ({ ...bin })),
    following: { cost, ...followRecommendations(group.recommendations, cost) },
  };
};
