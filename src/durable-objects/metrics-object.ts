import { DurableObject } from "cloudflare:workers";
import { Registry, type Sample } from "../domain/metrics/registry.ts";

/**
 * At most one row is written in this time, however much is reported, unless a scrape asks in
 * between.
 */
const WRITE_EVERY_MS = 10_000;

/**
 * Adds up what every invocation everywhere has counted. Counts live in memory and are written down
 * as one row now and then; what a crash takes with it was never shown, because a scrape is answered
 * only with what is on disk. So no counter a scraper has seen ever goes back, which it would take
 * for a restart and count everything again.
 */
export class MetricsObject extends DurableObject<Env> {
  readonly #registry = new Registry();
  #unwritten = false;
  #armed = false;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const { sql } = ctx.storage;
    sql.exec(
      "CREATE TABLE IF NOT EXISTS counts (id INTEGER PRIMARY KEY CHECK (id = 1), samples TEXT NOT NULL)",
    );
    const row = sql.exec<{ samples: string }>("SELECT samples FROM counts").toArray()[0];
    if (row !== undefined) this.#registry.merge(readSamples(row.samples));
  }

  /** Takes one report: what an invocation, or an isolate in a few seconds, has counted. */
  async record(samples: readonly Sample[]): Promise<void> {
    this.#registry.merge(samples);
    this.#unwritten = true;
    if (this.#armed) return;
    this.#armed = true;
    await this.ctx.storage.setAlarm(Date.now() + WRITE_EVERY_MS);
  }

  /**
   * All there is to show, written down first: the platform holds the answer back until the row is
   * safe.
   */
  async read(): Promise<Sample[]> {
    this.#write();
    return this.#registry.samples();
  }

  override async alarm(): Promise<void> {
    this.#armed = false;
    this.#write();
  }

  #write(): void {
    if (!this.#unwritten) return;
    this.ctx.storage.sql.exec(
      "INSERT OR REPLACE INTO counts (id, samples) VALUES (1, ?)",
      JSON.stringify(this.#registry.samples()),
    );
    this.#unwritten = false;
  }
}

/** A row that cannot be read is a restart from nothing, which scrapers know how to take. */
function readSamples(text: string): Sample[] {
  try {
    return JSON.parse(text) as Sample[];
  } catch {
    return [];
  }
}
