import * as z from "zod";
import type { AnyEvent } from "../../domain/events/envelope.ts";
import { upcast } from "../../domain/events/upcast.ts";
import { iso } from "../../domain/iso.ts";
import type { JobRecord } from "../../domain/job/job.ts";
import { findEvent } from "../../read-model/feed.ts";
import type { StoredRecommendation } from "../../read-model/recommendations.ts";
import { findJob } from "../../records/jobs/job-records.ts";

const step = z.object({
  step: z.enum(["recommendation", "event", "job", "bars", "slot"]),
  id: z.string(),
  at: z.string().nullable(),
  detail: z.record(z.string(), z.unknown()),
  href: z.string().meta({ description: "where this step can be read" }),
});

type Step = z.infer<typeof step>;

export const provenanceView = z
  .object({
    recommendationId: z.string(),
    symbol: z.string(),
    snapshotHash: z.string(),
    codeVersion: z.string(),
    chain: z.array(step).meta({
      description:
        "from the recommendation down to the bars, and to the slot if one asked for them",
    }),
    complete: z.boolean().meta({ description: "false while a link is not in the read model yet" }),
  })
  .meta({ id: "Provenance" });

/** Links a chain may have: recommendation ← indicators ← market data, an event and a job each. */
const MAX_LINKS = 4;

const href = (path: string, id: string): string => `/api/v1/${path}/${encodeURIComponent(id)}`;

/** Follows causes from the recommendation's event down to the bars, their job and its slot. */
export async function provenanceOf(
  db: D1DatabaseSession,
  { body, eventId, createdAt }: StoredRecommendation,
): Promise<z.infer<typeof provenanceView>> {
  const chain: Step[] = [
    {
      step: "recommendation",
      id: body.recommendationId,
      at: iso(createdAt),
      detail: {
        action: body.action,
        confidence: body.confidence,
        asOf: body.asOf,
        engine: body.engine,
      },
      href: href("recommendations", body.recommendationId),
    },
  ];
  let next: string | null = eventId;
  let reached = false;
  for (let link = 0; link < MAX_LINKS && next !== null; link++) {
    const found = await findEvent(db, next);
    if (found === null) break;
    const event = upcast(found.event);
    chain.push(eventStep(event));
    const job: JobRecord | null = event.jobId === null ? null : await findJob(db, event.jobId);
    if (event.eventType === "MarketDataIngested" || event.eventType === "MarketDataRevised") {
      chain.push(barsStep(event, body));
      reached = true;
    }
    if (job !== null) chain.push(jobStep(job), ...slotStep(job));
    next = reached ? null : event.causationId;
  }
  return {
    recommendationId: body.recommendationId,
    symbol: body.symbol,
    snapshotHash: body.snapshotHash,
    codeVersion: body.codeVersion,
    chain,
    complete: reached,
  };
}

const eventStep = (event: AnyEvent): Step => ({
  step: "event",
  id: event.eventId,
  at: event.occurredAt,
  detail: { eventType: event.eventType, streamId: event.streamId, version: event.version },
  href: href("events", event.eventId),
});

const jobStep = (job: JobRecord): Step => ({
  step: "job",
  id: job.id,
  at: iso(job.createdAt),
  detail: { kind: job.kind, state: job.state, attempts: job.attempts.length, actor: job.actor },
  href: href("jobs", job.id),
});

/** All the bars the analysis had seen, the event's own among them. */
function barsStep(event: AnyEvent, body: StoredRecommendation["body"]): Step {
  const { from, to, count } = body.basedOn.bars;
  const source = "source" in event.payload ? event.payload.source : body.source;
  const range = `resolution=${body.resolution}&from=${from}&to=${to}`;
  return {
    step: "bars",
    id: `${body.symbol}|${body.resolution}|${from}|${to}`,
    at: to,
    detail: { from, to, count, source },
    href: `/api/v1/assets/${encodeURIComponent(body.symbol)}/bars?${range}`,
  };
}

/** Work that a person or an upload asked for has no slot, and says so by having no such step. */
function slotStep(job: JobRecord): Step[] {
  if (job.slot === null || job.scheduleId === null) return [];
  const slot = iso(job.slot);
  return [
    {
      step: "slot",
      id: `${job.scheduleId}|${slot}`,
      at: slot,
      detail: { scheduleId: job.scheduleId },
      href: `${href("schedules", job.scheduleId)}/slots/${slot}`,
    },
  ];
}
