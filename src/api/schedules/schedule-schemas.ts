import * as z from "zod";
import { iso, isoOrNull } from "../../domain/iso.ts";
import { JOB_KINDS, ORDERED_WORDS } from "../../domain/job/job-kinds.ts";
import { CALENDAR_IDS } from "../../domain/market/calendar-id.ts";
import { RANKED_RESOLUTIONS } from "../../domain/ranking/ranking.ts";
import { OVERLAP_POLICIES } from "../../domain/schedule/overlap.ts";
import type { Schedule } from "../../records/jobs/schedule-records.ts";
import { symbolSchema } from "../http/schemas.ts";

const cadence = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("cron"),
    expression: z.string().max(100),
    timeZone: z.string().max(64).default("UTC"),
  }),
  z.strictObject({ type: z.literal("interval"), everySeconds: z.number().int() }),
  z.strictObject({
    type: z.literal("calendar"),
    calendar: z.enum(CALENDAR_IDS),
    event: z.enum(["open", "close"]),
    offsetSeconds: z.number().int().default(0),
  }),
]);

const only = z.literal("due").optional().meta({
  description:
    "with kind recommendation: makes none, but judges those that have come to their horizon",
});

const target = z.union([
  z.strictObject({ symbol: symbolSchema, only }),
  z.strictObject({ calendar: z.enum(CALENDAR_IDS), only }),
  z.strictObject({ portfolioId: z.string().min(1).max(100) }),
  z.strictObject({ resolution: z.enum(RANKED_RESOLUTIONS) }),
]);

export const newSchedule = z.strictObject({
  name: z.string().min(1).max(100),
  kind: z.enum(ORDERED_WORDS).default("ingest").meta({
    description:
      "portfolio stands for optimization; recommendation with target.only for evaluation",
  }),
  target: target.meta({
    description:
      "one asset, or every live asset of a calendar; for kind optimization one portfolio, for kind ranking the resolution that is ranked",
  }),
  cadence,
  overlap: z.enum(OVERLAP_POLICIES).default("allow"),
  catchUpSeconds: z
    .number()
    .int()
    .default(3 * 86_400),
  jitterSeconds: z.number().int().min(0).max(3_600).default(0),
});

export const schedulePatch = z
  .strictObject({
    name: newSchedule.shape.name.optional(),
    cadence: cadence.optional(),
    overlap: z.enum(OVERLAP_POLICIES).optional(),
    catchUpSeconds: z.number().int().optional(),
    jitterSeconds: z.number().int().min(0).max(3_600).optional(),
  })
  .refine((patch) => Object.keys(patch).length > 0, "say at least one field to change");

export const scheduleView = z
  .object({
    id: z.string(),
    name: z.string(),
    kind: z.enum(JOB_KINDS),
    target,
    cadence: z.looseObject({ type: z.string() }),
    overlap: z.enum(OVERLAP_POLICIES),
    catchUpSeconds: z.number(),
    jitterSeconds: z.number(),
    paused: z.boolean(),
    pausedWhy: z.string().nullable().meta({
      description:
        "why the system paused it, as when its asset was archived; null when a person did",
    }),
    nextDue: z.string().nullable(),
    createdAt: z.string(),
    updatedAt: z.string(),
  })
  .meta({ id: "Schedule" });

export const showSchedule = (s: Schedule): z.infer<typeof scheduleView> => ({
  id: s.id,
  name: s.name,
  kind: s.kind,
  target: s.target as z.infer<typeof target>,
  cadence: { ...s.cadence },
  overlap: s.overlap,
  catchUpSeconds: s.catchUpSeconds,
  jitterSeconds: s.jitterSeconds,
  paused: s.pausedAt !== null,
  pausedWhy: s.pausedWhy ?? null,
  nextDue: isoOrNull(s.pausedAt === null ? s.nextDue : null),
  createdAt: iso(s.createdAt),
  updatedAt: iso(s.updatedAt),
});
