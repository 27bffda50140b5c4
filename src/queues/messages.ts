import * as z from "zod";
import { JOB_WORDS, type JobWord, jobQueueOf } from "../domain/job/job-kinds.ts";
import type { QueueName } from "../domain/queue/queues.ts";

/*
 * What travels on the queues. Messages are nudges: the job's record, the asset's log and the delivery's record hold the
 * truth, so a lost, doubled or late message changes nothing. Parsed at the consumer's border like any foreign input.
 */

/** W3C Trace Context of what sent the message. Messages of before it was carried have none. */
const traceparent = z.string().max(256).optional();

/** One page of a slot's fan-out; the slot's own row remembers how far it has come. */
export const scheduleMessage = z.strictObject({
  scheduleId: z.string(),
  slot: z.number().int(),
  traceparent,
});
export type ScheduleMessage = z.infer<typeof scheduleMessage>;

/** Run this job. What it is stands in its record. */
export const jobMessage = z.strictObject({
  jobId: z.string(),
  /** Messages of an older version say a family's word. */
  kind: z.enum(JOB_WORDS),
  symbol: z.string(),
  traceparent,
});
export type JobMessage = z.infer<typeof jobMessage>;

/**
 * The stream has reached this version. What happened stands in the stream's log, and is only ever
 * read there: a message may have been on its way through many hands. Older messages carry the event
 * too; it is not looked at.
 */
export const eventMessage = z.strictObject({
  streamId: z.string(),
  version: z.number().int().positive(),
  traceparent,
  /** For the count of what is published. */
  eventType: z.string().max(100).optional(),
  event: z.unknown().transform(() => null),
});
export type EventMessage = z.infer<typeof eventMessage>;

/** Try this delivery. */
export const deliveryMessage = z.strictObject({ deliveryId: z.string(), traceparent });
export type DeliveryMessage = z.infer<typeof deliveryMessage>;

/** Carry this process on. How far it has come stands in its record. */
export const processMessage = z.strictObject({ processId: z.string(), traceparent });
export type ProcessMessage = z.infer<typeof processMessage>;

/**
 * Take this step of a reconciliation. Its row says what the step is; a step that was taken already
 * is nothing.
 */
export const reconcileMessage = z.strictObject({
  reconciliationId: z.string(),
  step: z.number().int().min(0),
  traceparent,
});
export type ReconcileMessage = z.infer<typeof reconcileMessage>;

/** The same for the rebuild of a projection. */
export const rebuildMessage = z.strictObject({
  rebuildId: z.string(),
  step: z.number().int().min(0),
  traceparent,
});
export type RebuildMessage = z.infer<typeof rebuildMessage>;

/**
 * What a message is about: the queue that carries messages of its shape, and the record it names.
 */
export interface MessageSubject {
  /** Null when no queue carries this. */
  readonly queue: QueueName | null;
  /** Of a job: its kind, or the word an older version had for it. */
  readonly kind: JobWord | null;
  readonly subject: string | null;
  readonly symbol: string | null;
}

const NO_JOB = { kind: null, symbol: null } as const;

/**
 * Tells by its shape what a message is about; whoever finds one lying about does not know where it
 * came from.
 */
export function subjectOf(body: unknown): MessageSubject {
  const job = jobMessage.safeParse(body);
  if (job.success) {
    const { kind, jobId, symbol } = job.data;
    return { queue: jobQueueOf(kind), kind, subject: jobId, symbol };
  }
  const delivery = deliveryMessage.safeParse(body);
  if (delivery.success) return { queue: "webhooks", subject: delivery.data.deliveryId, ...NO_JOB };
  const event = eventMessage.safeParse(body);
  if (event.success) return { queue: "events", subject: event.data.streamId, ...NO_JOB };
  const slot = scheduleMessage.safeParse(body);
  if (slot.success) return { queue: "schedule", subject: slot.data.scheduleId, ...NO_JOB };
  const run = reconcileMessage.safeParse(body);
  if (run.success) return { queue: "reconcile", subject: run.data.reconciliationId, ...NO_JOB };
  const rebuild = rebuildMessage.safeParse(body);
  if (rebuild.success) return { queue: "reconcile", subject: rebuild.data.rebuildId, ...NO_JOB };
  const process = processMessage.safeParse(body);
  if (process.success) return { queue: "processes", subject: process.data.processId, ...NO_JOB };
  return { queue: null, subject: null, ...NO_JOB };
}
