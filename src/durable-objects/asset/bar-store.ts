import type { Bar } from "../../domain/asset/bar.ts";
import type { ClosesAround } from "../../domain/asset/split-steps.ts";
import type { Resolution } from "../../domain/market/resolution.ts";

/**
 * Bars go in as JSON lists of at most this many, to stay far below the 2 MB that one parameter may
 * hold.
 */
const ROWS_PER_STATEMENT = 2_000;

/** A row as SQL gives it back. */
type BarRow = { [K in keyof Bar]: Bar[K] };

/** A bar and the version of the event that last wrote it. */
export type VersionedBar = BarRow & { readonly version: number };

/** The bars of one asset, one row per (resolution, timestamp). */
export class BarStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Bars from `from` to `to`, both included, oldest first. */
  between(resolution: Resolution, from: number, to: number): Bar[] {
    return this.#sql
      .exec<BarRow>(
        `SELECT timestamp, open, high, low, close, volume FROM bars
         WHERE resolution = ? AND timestamp BETWEEN ? AND ? ORDER BY timestamp`,
        resolution,
        from,
        to,
      )
      .toArray();
  }

  /** Walks the bars after an instant without holding them all. Consume it before the next await. */
  *after(resolution: Resolution, timestamp: number): Generator<VersionedBar> {
    yield* this.#sql.exec<VersionedBar>(
      `SELECT timestamp, open, high, low, close, volume, version FROM bars
       WHERE resolution = ? AND timestamp > ? ORDER BY timestamp`,
      resolution,
      timestamp,
    );
  }

  /** The newest `count` bars, oldest first. */
  latest(resolution: Resolution, count: number): Bar[] {
    return this.#sql
      .exec<BarRow>(
        `SELECT timestamp, open, high, low, close, volume FROM bars
         WHERE resolution = ? ORDER BY timestamp DESC LIMIT ?`,
        resolution,
        count,
      )
      .toArray()
      .reverse();
  }

  at(resolution: Resolution, timestamp: number): VersionedBar | null {
    const row = this.#sql.exec<VersionedBar>(
      `SELECT timestamp, open, high, low, close, volume, version FROM bars
       WHERE resolution = ? AND timestamp = ?`,
      resolution,
      timestamp,
    );
    return row.toArray()[0] ?? null;
  }

  /** The `count`-th bar (1 for the next) after an instant, or null while there are fewer. */
  nthAfter(resolution: Resolution, timestamp: number, count: number): VersionedBar | null {
    const row = this.#sql.exec<VersionedBar>(
      `SELECT timestamp, open, high, low, close, volume, version FROM bars
       WHERE resolution = ? AND timestamp > ? ORDER BY timestamp LIMIT 1 OFFSET ?`,
      resolution,
      timestamp,
      count - 1,
    );
    return row.toArray()[0] ?? null;
  }

  /** At most `count` closes up to an instant, it included, oldest first, with their timestamps. */
  closesUpTo(
    resolution: Resolution,
    timestamp: number,
    count: number,
  ): { timestamp: number; close: number }[] {
    const rows = this.#sql.exec<{ timestamp: number; close: number }>(
      "SELECT timestamp, close FROM bars WHERE resolution = ? AND timestamp <= ? ORDER BY timestamp DESC LIMIT ?",
      resolution,
      timestamp,
      count,
    );
    return rows.toArray().reverse();
  }

  /** The closes on both sides of a key, and the timestamp of the first bar from it on. */
  closesAround(resolution: Resolution, key: number): ClosesAround {
    const [before] = this.closesUpTo(resolution, key - 1, 1);
    const next = this.nthAfter(resolution, key - 1, 1);
    return {
      before: before?.close ?? null,
      after: next?.close ?? null,
      first: next?.timestamp ?? null,
    };
  }

  write(resolution: Resolution, bars: readonly Bar[], version: number): void {
    for (let at = 0; at < bars.length; at += ROWS_PER_STATEMENT) {
      const rows = bars
        .slice(at, at + ROWS_PER_STATEMENT)
        .map((bar) => [bar.timestamp, bar.open, bar.high, bar.low, bar.close, bar.volume]);
      this.#sql.exec(
        `INSERT OR REPLACE INTO bars (resolution, timestamp, open, high, low, close, volume, version)
         SELECT ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, ?3 FROM json_each(?2)`,
        resolution,
        JSON.stringify(rows),
        version,
      );
    }
  }
}
