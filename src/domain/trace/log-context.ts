import { DEFAULT_TENANT, type StoredEvent, symbolOfStream } from "../events/envelope.ts";
import { type JobRequest, shownSubject } from "../job/job.ts";
import { traceIdOf } from "./traceparent.ts";

/**
 * Writes one structured line. `level` is debug, info, warn or error; `message` is a constant text.
 */
export type Log = (entry: Readonly<Record<string, unknown>>) => void;

/** Subject of a line. Unknown fields are absent. */
export interface LogContext {
  readonly traceId?: string | undefined;
  readonly tenantId?: string;
  readonly eventId?: string;
  readonly jobId?: string | undefined;
  readonly processId?: string;
  readonly reconciliationId?: string;
  readonly rebuildId?: string;
  readonly asset?: string | undefined;
  readonly portfolioId?: string | undefined;
  readonly backtestId?: string | undefined;
  readonly crossCheckId?: string | undefined;
  readonly attempt?: number;
  readonly queue?: string;
}

/** A log that adds a context to every line. */
export const within =
  (log: Log, context: LogContext): Log =>
  (entry) =>
    log({ ...context, ...entry });

export const jobContext = (
  job: Pick<JobRequest, "id" | "symbol" | "traceparent">,
  attempt: number,
): LogContext => {
  const { symbol, portfolioId, backtestId, crossCheckId } = shownSubject(job.symbol);
  return {
    traceId: traceIdOf(job.traceparent),
    tenantId: DEFAULT_TENANT,
    jobId: job.id,
    ...(symbol === null ? {} : { asset: symbol }),
    ...(portfolioId === null ? {} : { portfolioId }),
    ...(backtestId === null ? {} : { backtestId }),
    ...(crossCheckId === null ? {} : { crossCheckId }),
    attempt,
  };
};

/** Context of work that has a trace and belongs to no single asset. */
export const workContext = <T extends LogContext>(
  work: T,
  traceparent: string | null | undefined,
): T & LogContext => ({ traceId: traceIdOf(traceparent), tenantId: DEFAULT_TENANT, ...work });

export const eventContext = (event: StoredEvent): LogContext => ({
  traceId: traceIdOf(event.traceparent),
  tenantId: event.tenantId,
  eventId: event.eventId,
  jobId: event.jobId ?? undefined,
  asset: symbolOfStream(event.streamId) ?? undefined,
});
