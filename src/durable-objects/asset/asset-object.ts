import { DurableObject } from "cloudflare:workers";
import { v7 as uuidv7 } from "uuid";
import type {
  EvaluationsResult,
  IndicatorsCommand,
  IndicatorsResult,
  IngestCommand,
  IngestResult,
  RecommendationContext,
  RecommendationResult,
  RecordRecommendationCommand,
  RegisterCommand,
  RegisterResult,
  ResolveCommand,
} from "../../domain/asset/commands.ts";
import { type AnyEvent, assetStream } from "../../domain/events/envelope.ts";
import type { Resolution } from "../../domain/market/resolution.ts";
import type { LogPage } from "../../domain/reconciliation/check-chain.ts";
import { Commits } from "../commit-and-publish.ts";
import { EventLog, type Head, type HeadView, type Stamp } from "../event-log.ts";
import { Outbox, type OutboxStatus } from "../outbox.ts";
import { ActionStore } from "./action-store.ts";
import { AnalysisStore } from "./analysis-store.ts";
import type { AssetDatabase } from "./asset-database.ts";
import { AssetRecord } from "./asset-record.ts";
import { BarStore } from "./bar-store.ts";
import { computeIndicators } from "./compute-indicators.ts";
import { forgetOld, once, PayloadConflict } from "./consumed-effects.ts";
import { evaluationContext } from "./evaluation-context.ts";
import { evaluateRecommendations, readRecord } from "./evaluations.ts";
import { ingestBars } from "./ingest.ts";
import { OpenRecommendations } from "./open-recommendations.ts";
import { type Preview, undone } from "./preview.ts";
import { recordRecommendation } from "./recommendations.ts";
import { migrateTables } from "./tables.ts";

/** Events of one read stay under this, whatever the limit asked for. */
const MAX_READ_BYTES = 1_000_000;

/**
 * One asset: the short, serial commit point. Each command is one transaction in which state, event,
 * consumed row and outbox row are written together; publishing follows, with the alarm as safety
 * net. No command waits for anything outside but the events queue.
 */
export class AssetObject extends DurableObject<Env> {
  readonly #db: AssetDatabase;
  readonly #outbox: Outbox;
  readonly #commits: Commits;
  /** Old rows are looked for once each time the object wakes. */
  #tidied = false;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    migrateTables(ctx.storage);
    const { sql } = ctx.storage;
    const log = new EventLog(sql, assetStream(this.#symbol()));
    this.#db = {
      sql,
      asset: new AssetRecord(sql),
      log,
      bars: new BarStore(sql),
      actions: new ActionStore(sql),
      analysis: new AnalysisStore(sql),
      openRecommendations: new OpenRecommendations(sql),
    };
    this.#outbox = new Outbox(log, env.EVENTS_QUEUE);
    this.#commits = new Commits(ctx, log, this.#outbox, env.DB);
  }

  /**
   * Registers the asset, or changes it when it is registered already; the same fact twice is one
   * event.
   */
  async register(command: RegisterCommand): Promise<RegisterResult> {
    return this.#commit(command.symbol, (stamp) => {
      const found = this.#db.asset.write(this.#db.log, command, stamp);
      return { head: this.#db.log.head(), ...(found === null ? {} : { found }) };
    });
  }

  /**
   * Merges bars, dividends and splits into the asset. Added ones are ingested, changed ones
   * revised, repeated ones nothing.
   */
  async ingest(command: IngestCommand): Promise<IngestResult> {
    return this.#once("ingest", command, (stamp) => ingestBars(this.#db, command, stamp));
  }

  /**
   * Computes what the bars since the last time imply, or everything again after a late or revised
   * bar.
   */
  async computeIndicators(command: IndicatorsCommand): Promise<IndicatorsResult> {
    return this.#once("indicators", command, (stamp) =>
      computeIndicators(this.#db, command, stamp),
    );
  }

  /**
   * What a recommendation may be based on now, or null while nothing has been computed. Changes
   * nothing. With `engine` (see `engineKey`) it also tells how that engine has fared here.
   */
  async recommendationContext(
    symbol: string,
    resolution: Resolution,
    engine?: string,
  ): Promise<RecommendationContext | null> {
    this.#assertSymbol(symbol);
    const asset = this.#db.asset.required();
    const found = this.#db.analysis.context(asset, resolution, this.#db.log.head());
    if (found === null) return null;
    const context = { ...found, ...evaluationContext(this.#db, asset, resolution) };
    return engine === undefined
      ? context
      : { ...context, record: readRecord(this.#db, resolution, engine) };
  }

  /**
   * Keeps a recommendation, unless the stream has moved on since its context was read. A snapshot
   * that was answered before keeps its first answer.
   */
  async recordRecommendation(command: RecordRecommendationCommand): Promise<RecommendationResult> {
    return this.#once(
      "recommendation",
      command,
      (stamp) => recordRecommendation(this.#db, command, stamp),
      ({ kind }) => kind === "recorded",
    );
  }

  /** Resolves the recommendations whose horizon bar has come; each once, whatever comes twice. */
  async evaluateRecommendations(command: ResolveCommand): Promise<EvaluationsResult> {
    return this.#once("resolution", command, (stamp) =>
      evaluateRecommendations(this.#db, command, stamp),
    );
  }

  /**
   * What `ingest` would do now. Like the other previews it runs the very same commit and undoes it:
   * nothing stays.
   */
  async previewIngest(command: IngestCommand): Promise<Preview<IngestResult>> {
    return this.#preview("ingest", command, (stamp) => ingestBars(this.#db, command, stamp));
  }

  async previewIndicators(command: IndicatorsCommand): Promise<Preview<IndicatorsResult>> {
    return this.#preview("indicators", command, (stamp) =>
      computeIndicators(this.#db, command, stamp),
    );
  }

  async previewRecommendation(
    command: RecordRecommendationCommand,
  ): Promise<Preview<RecommendationResult>> {
    return this.#preview("recommendation", command, (stamp) =>
      recordRecommendation(this.#db, command, stamp),
    );
  }

  async previewEvaluations(command: ResolveCommand): Promise<Preview<EvaluationsResult>> {
    return this.#preview("resolution", command, (stamp) =>
      evaluateRecommendations(this.#db, command, stamp),
    );
  }

  /** How far the stream reaches, and the hash that vouches for it. */
  async streamHead(symbol: string): Promise<Head> {
    this.#assertSymbol(symbol);
    return this.#db.log.top();
  }

  /**
   * The head, what the log's hash was at a version, and since when the event after that version
   * waits.
   */
  async compareHead(symbol: string, version: number): Promise<HeadView> {
    this.#assertSymbol(symbol);
    return this.#db.log.beside(version);
  }

  /** The log's rows after a version as they stand, for whoever checks them. */
  async readLog(symbol: string, after: number, limit: number): Promise<LogPage> {
    this.#assertSymbol(symbol);
    return this.#db.log.page(after, Math.min(limit, 500), MAX_READ_BYTES);
  }

  /**
   * The log after a version, oldest first; whoever sees a gap reads it from here. Events are as
   * they were written (`StoredEvent`): RPC types cannot carry an unknown payload, so readers bring
   * them to today's shape first.
   */
  async readEvents(
    symbol: string,
    after: number,
    limit: number,
  ): Promise<{ events: AnyEvent[]; head: number }> {
    this.#assertSymbol(symbol);
    return {
      events: this.#db.log.read(after, Math.min(limit, 500), MAX_READ_BYTES) as AnyEvent[],
      head: this.#db.log.head(),
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

  async #once<T>(
    consumer: string,
    command: { readonly symbol: string; readonly jobId: string; readonly requestHash: string },
    effect: (stamp: Stamp) => T,
    isFinal?: (result: T) => boolean,
  ): Promise<T> {
    const { jobId: id, requestHash: payloadHash } = command;
    const outcome = await this.#commit(command.symbol, (stamp) => {
      if (!this.#tidied) forgetOld(this.#db.sql, stamp.now);
      return once(
        this.#db.sql,
        { consumer, id, payloadHash, now: stamp.now },
        () => effect(stamp),
        isFinal,
      );
    });
    this.#tidied = true;
    // The conflict is on record by now; whoever reused the id is told by an error of its own.
    if (outcome.kind === "conflict") throw new PayloadConflict(outcome.detail);
    return outcome.result;
  }

  /** Neither alarm nor outbox nor memory learns of it. */
  #preview<T>(
    consumer: string,
    command: { readonly symbol: string; readonly jobId: string; readonly requestHash: string },
    effect: (stamp: Stamp) => T,
  ): Preview<T> {
    this.#assertSymbol(command.symbol);
    const { jobId: id, requestHash: payloadHash } = command;
    const now = Date.now();
    const stamp: Stamp = { now, newId: () => uuidv7({ msecs: now }) };
    return undone(this.ctx.storage, this.#db.log, () => {
      const outcome = once(this.#db.sql, { consumer, id, payloadHash, now }, () => effect(stamp));
      if (outcome.kind === "conflict") throw new PayloadConflict(outcome.detail);
      return outcome.result;
    });
  }

  #commit<T>(symbol: string, work: (stamp: Stamp) => T): Promise<T> {
    this.#assertSymbol(symbol);
    return this.#commits.run(work);
  }

  #symbol(): string {
    const { name } = this.ctx.id;
    if (name === undefined) throw new Error("an asset object is reached by its symbol only");
    return name;
  }

  #assertSymbol(symbol: string): void {
    if (symbol !== this.#symbol())
      throw new Error(`a command for ${symbol} reached the object of ${this.#symbol()}`);
  }
}
