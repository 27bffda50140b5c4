import { DurableObject } from "cloudflare:workers";
import type { Answer, BreakerCommand, Permit } from "../domain/breaker/breaker.ts";
import { answerOf, decide } from "../domain/breaker/decide.ts";
import { BREAKER_POLICY } from "../domain/breaker/policy.ts";
import type { Verdict } from "../domain/breaker/verdict.ts";
import { type AnyEvent, breakerStream, type Cause } from "../domain/events/envelope.ts";
import type { LogPage } from "../domain/reconciliation/check-chain.ts";
import { BREAKER_STEPS, migrateTables } from "./asset/tables.ts";
import { BreakerRecord, type StoredBreaker } from "./breaker-record.ts";
import { Commits } from "./commit-and-publish.ts";
import { EventLog, type Head, type HeadView } from "./event-log.ts";
import { Outbox, type OutboxStatus } from "./outbox.ts";

/** Events of one read stay under this, whatever the limit asked for. */
const MAX_READ_BYTES = 1_000_000;

/**
 * The breaker of one external service, shared by all workers: the short, serial point that counts
 * failures and leases the one probe. Its state, and the events that tell of it, are written in one
 * transaction.
 */
export class BreakerObject extends DurableObject<Env> {
  readonly #record: BreakerRecord;
  readonly #log: EventLog;
  readonly #outbox: Outbox;
  readonly #commits: Commits;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    migrateTables(ctx.storage, BREAKER_STEPS);
    const { sql } = ctx.storage;
    this.#record = new BreakerRecord(sql);
    this.#log = new EventLog(sql, breakerStream(this.#service()));
    this.#outbox = new Outbox(this.#log, env.EVENTS_QUEUE);
    this.#commits = new Commits(ctx, this.#log, this.#outbox, env.DB);
  }

  /**
   * Asks for leave to ask the service about a subject. `lease` names this asker's call, should it
   * be the one to probe or a trial.
   */
  async acquire(service: string, lease: string, subject: string): Promise<Answer> {
    const command = { type: "acquire", lease, subject } as const;
    return this.#ruling(service, command, causeOf("system", null, null), { lease, subject });
  }

  /**
   * Tells how a call about a subject went, and in which trace, and answers whether the next one may
   * be made.
   */
  async report(
    service: string,
    permit: Permit,
    subject: string,
    verdict: Verdict,
    jobId: string | null,
    traceparent: string | null = null,
  ): Promise<Answer> {
    const cause = causeOf("system", jobId, traceparent);
    const command = { type: "report", permit, subject, verdict } as const;
    return this.#ruling(service, command, cause, { lease: null, subject });
  }

  /**
   * Opens the breaker by hand; it stays open until an instant (epoch ms) or, with null, until it is
   * reset.
   */
  async trip(
    service: string,
    reason: string,
    until: number | null,
    actor: string,
    traceparent: string | null = null,
  ): Promise<StoredBreaker> {
    const cause = causeOf(actor, null, traceparent);
    return this.#run(service, { type: "trip", reason, until }, cause);
  }

  /** Closes the breaker by hand and forgets its failures. */
  async reset(
    service: string,
    reason: string,
    actor: string,
    traceparent: string | null = null,
  ): Promise<StoredBreaker> {
    const cause = causeOf(actor, null, traceparent);
    return this.#run(service, { type: "reset", reason }, cause);
  }

  async view(service: string): Promise<StoredBreaker> {
    this.#assertService(service);
    return this.#record.read();
  }

  async streamHead(service: string): Promise<Head> {
    this.#assertService(service);
    return this.#log.top();
  }

  /** The log's head, and its hash at a version that the read model has come to. */
  async compareHead(service: string, version: number): Promise<HeadView> {
    this.#assertService(service);
    return this.#log.beside(version);
  }

  /** The log's rows after a version as they stand, for whoever checks them. */
  async readLog(service: string, after: number, limit: number): Promise<LogPage> {
    this.#assertService(service);
    return this.#log.page(after, Math.min(limit, 500), MAX_READ_BYTES);
  }

  /**
   * Since when the breaker was open after a version of its log, as written there; null when it was
   * closed.
   */
  async openSince(service: string, version: number): Promise<string | null> {
    this.#assertService(service);
    const row = this.ctx.storage.sql
      .exec<{ at: string }>(
        `WITH turns AS (SELECT version, body ->> 'eventType' AS turn, body ->> 'occurredAt' AS at
                        FROM events WHERE version <= ? AND json_valid(body))
         SELECT at FROM turns WHERE turn = 'CircuitOpened'
           AND version > coalesce((SELECT max(version) FROM turns WHERE turn = 'CircuitClosed'), 0)
         ORDER BY version LIMIT 1`,
        version,
      )
      .toArray()[0];
    return row?.at ?? null;
  }

  /** The log after a version, oldest first, as it was written. */
  async readEvents(
    service: string,
    after: number,
    limit: number,
  ): Promise<{ events: AnyEvent[]; head: number }> {
    this.#assertService(service);
    return {
      events: this.#log.read(after, Math.min(limit, 500), MAX_READ_BYTES) as AnyEvent[],
      head: this.#log.head(),
    };
  }

  async outboxStatus(): Promise<OutboxStatus> {
    return this.#outbox.status();
  }

  /** Publishes what waits, now. */
  async publish(): Promise<OutboxStatus> {
    return this.#commits.publish();
  }

  override async alarm(): Promise<void> {
    await this.#commits.tend();
  }

  async #ruling(
    service: string,
    command: BreakerCommand,
    cause: Cause,
    asker: { readonly lease: string | null; readonly subject: string },
  ): Promise<Answer> {
    return answerOf(
      (await this.#run(service, command, cause)).state,
      asker,
      Date.now(),
      BREAKER_POLICY,
    );
  }

  #run(service: string, command: BreakerCommand, cause: Cause): Promise<StoredBreaker> {
    this.#assertService(service);
    return this.#commits.run((stamp) => {
      const before = this.#record.read();
      const facts = decide(before.state, command, stamp.now, BREAKER_POLICY);
      return this.#record.write(this.#log, before, service, facts, cause, stamp);
    });
  }

  #service(): string {
    const { name } = this.ctx.id;
    if (name === undefined) throw new Error("a breaker is reached by its service only");
    return name;
  }

  #assertService(service: string): void {
    if (service !== this.#service())
      throw new Error(`a command for ${service} reached the breaker of ${this.#service()}`);
  }
}

const causeOf = (actorId: string, jobId: string | null, traceparent: string | null): Cause => ({
  actorId,
  jobId,
  correlationId: jobId ?? actorId,
  causationId: null,
  ...(traceparent === null ? {} : { traceparent }),
});
