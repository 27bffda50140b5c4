import type { Bar } from "../domain/asset/bar.ts";
import { fromFact } from "../domain/asset/bar-fact.ts";
import type { AnyEvent, StoredEvent } from "../domain/events/envelope.ts";
import { upcast } from "../domain/events/upcast.ts";
import type { IndicatorValues } from "../domain/indicators/values.ts";
import { iso } from "../domain/iso.ts";
import type { Resolution } from "../domain/market/resolution.ts";
import type { Reader } from "../reader.ts";

/** What an asset's log said at one of its versions. */
export interface Knowledge {
  /** The stream's version at the instant asked for. */
  readonly version: number;
  /** When its newest event happened (ISO-8601 UTC). */
  readonly knownAt: string;
}

/**
 * The newest version of a stream that existed at an instant (epoch ms), or null when the system
 * knew nothing of it yet. Read from the feed, so that looking back wakes no object.
 */
export async function knowledgeAt(
  db: Reader,
  streamId: string,
  at: number,
): Promise<Knowledge | null> {
  const row = await db
    .prepare(
      `SELECT version, occurred_at FROM events WHERE stream_id = ?1 AND occurred_at <= ?2
       ORDER BY version DESC LIMIT 1`,
    )
    .bind(streamId, iso(Math.min(at, LATEST)))
    .first<{ version: number; occurred_at: string }>();
  return row === null ? null : { version: row.version, knownAt: row.occurred_at };
}

/** Instants sort as text while their year has four digits. */
const LATEST = Date.UTC(9999, 11, 31);

export interface AnalysisThen {
  readonly timestamp: number;
  readonly values: IndicatorValues;
  /** The version of the event that said so. */
  readonly version: number;
}

/**
 * The newest indicator values of a series as they stood at a version, or null when none had been
 * computed.
 */
export async function indicatorsThen(
  db: Reader,
  streamId: string,
  resolution: Resolution,
  version: number,
): Promise<AnalysisThen | null> {
  const row = await db
    .prepare(
      `SELECT body FROM events
       WHERE stream_id = ?1 AND version <= ?2 AND event_type = 'IndicatorsComputed'
         AND body ->> '$.payload.resolution' = ?3
       ORDER BY version DESC LIMIT 1`,
    )
    .bind(streamId, version, resolution)
    .first<{ body: string }>();
  if (row === null) return null;
  const event = upcast(JSON.parse(row.body) as StoredEvent);
  // A commit's parts are in time order, so the last item of the newest event is the newest bar
  // then.
  const item = event.eventType === "IndicatorsComputed" ? event.payload.items.at(-1) : undefined;
  if (item === undefined) return null;
  return { timestamp: Date.parse(item.timestamp), values: item.values, version: event.version };
}

/** Events of one read: those of a long import weigh 60 KB each. */
const EVENTS_AT_ONCE = 50;
/** Reads of one question. */
const MAX_READS = 100;

interface Question {
  readonly symbol: string;
  readonly streamId: string;
  readonly resolution: Resolution;
  /** The version the answer is to be true of. */
  readonly version: number;
  /** Epoch ms; bars up to here. */
  readonly until: number;
  readonly limit: number;
}

/**
 * The latest `limit` bars up to an instant as they stood at a version, oldest first. Bars that
 * nothing has touched since are as they are; for the others the first event after that version
 * tells what was there before it: the bar it revised, or nothing. Null when more has happened since
 * than one question may read.
 */
export async function barsThen(db: Reader, question: Question): Promise<Bar[] | null> {
  const { symbol, resolution, version, until, limit } = question;
  const { results } = await db
    .prepare(
      `SELECT timestamp, open, high, low, close, volume, version FROM bars
       WHERE symbol = ? AND resolution = ? AND timestamp <= ? ORDER BY timestamp DESC LIMIT ?`,
    )
    .bind(symbol, resolution, until, 2 * limit)
    .all<Bar & { version: number }>();
  const touched = results.filter((bar) => bar.version > version).map(({ timestamp }) => timestamp);
  const before = await barsBefore(db, question, new Set(touched));
  if (before === null) return null;
  const bars = results.flatMap(({ version: _, ...bar }) => {
    const then = before.has(bar.timestamp) ? before.get(bar.timestamp) : bar;
    return then === null || then === undefined ? [] : [then];
  });
  if (bars.length < limit && results.length === 2 * limit) return null;
  return bars.slice(0, limit).reverse();
}

/** What was at these timestamps at the version: a bar, or null for nothing. */
async function barsBefore(
  db: Reader,
  { streamId, resolution, version }: Question,
  touched: Set<number>,
): Promise<Map<number, Bar | null> | null> {
  const before = new Map<number, Bar | null>();
  let after = version;
  for (let reads = 0; touched.size > 0; reads++) {
    if (reads === MAX_READS) return null;
    const { results } = await db
      .prepare(
        `SELECT body FROM events
         WHERE stream_id = ?1 AND version > ?2 AND event_type IN ('MarketDataIngested', 'MarketDataRevised')
           AND body ->> '$.payload.resolution' = ?3
         ORDER BY version LIMIT ?4`,
      )
      .bind(streamId, after, resolution, EVENTS_AT_ONCE)
      .all<{ body: string }>();
    if (results.length === 0) return null;
    for (const { body } of results) {
      const event = upcast(JSON.parse(body) as StoredEvent);
      after = event.version;
      for (const [timestamp, bar] of barsReplacedBy(event)) {
        if (touched.delete(timestamp)) before.set(timestamp, bar);
      }
    }
  }
  return before;
}

/** The timestamps an event wrote, and the bar each had before: null where there was none. */
function barsReplacedBy(event: AnyEvent): [number, Bar | null][] {
  switch (event.eventType) {
    case "MarketDataIngested":
      return event.payload.bars.map(({ timestamp }) => [Date.parse(timestamp), null]);
    case "MarketDataRevised":
      return event.payload.revisions.map(({ before }) => [
        Date.parse(before.timestamp),
        fromFact(before),
      ]);
    default:
      return [];
  }
}
