import * as z from "zod";
import type { StoredEvent } from "../domain/events/envelope.ts";
import { JOB_KINDS } from "../domain/job/job.ts";

/*
 * What travels on the queues. Messages are nudges: the job's record, the asset's log and the delivery's record hold the
 * truth, so a lost, doubled or late message changes nothing. Parsed at the consumer's border like any foreign input.
 */

/** One page of a slot's fan-out; the slot's own row remembers how far it has come. */
export const scheduleMessage = z.strictObject({ scheduleId: z.string(), slot: z.number().int() });
export type ScheduleMessage = z.infer<typeof scheduleMessage>;

/** Run this job. What it is stands in its record. */
export const jobMessage = z.strictObject({ jobId: z.string(), kind: z.enum(JOB_KINDS), symbol: z.string() });
export type JobMessage = z.infer<typeof jobMessage>;

/** The stream has reached this version. The event travels along so that the usual case needs no call to the asset. */
export const eventMessage = z
  .strictObject({
    streamId: z.string(),
    version: z.number().int().positive(),
    event: z
      .custom<StoredEvent>((value) => typeof value === "object" && value !== null && "eventId" in value)
      .nullable(),
  })
  .refine(({ streamId, version, event }) =>
    event === null ? true : event.streamId === streamId && event.version === version,
  );
export type EventMessage = z.infer<typeof eventMessage>;

/** Try this delivery. */
export const deliveryMessage = z.strictObject({ deliveryId: z.string() });
export type DeliveryMessage = z.infer<typeof deliveryMessage>;

/** Carry this process on. How far it has come stands in its record. */
export const processMessage = z.strictObject({ processId: z.string() });
export type ProcessMessage = z.infer<typeof processMessage>;
