import { DEFAULT_TENANT, type StoredEvent, symbolOfStream } from "../events/envelope.ts";
import { type JobRequest, shownSubject } from "../job/job.ts";
import { traceIdOf } from "./traceparent.ts";

/**
 * Writes one structured line. `level` is debug, info, warn or error; `message` says what happened,
 * the same each time.
 */
export type Log = (entry: Readonly<Record<string, unknown>>) => void;

/** What a line is about. Absent where it is not known. */
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

/** A log whose every line says what it is about. */
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

/** What a line is about when it is about work that has a trace and belongs to no single asset. */
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
