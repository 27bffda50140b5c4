import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { StoredEvent } from "../../src/domain/events/envelope.ts";
import { chainHash, GENESIS } from "../../src/domain/events/rolling-hash.ts";
import { upcast } from "../../src/domain/events/upcast.ts";
import { evolveAsset, initialAsset } from "../domain/asset/asset-state.ts";

/** What the files of a stopped system say about one asset. */
interface AssetOnDisk {
  readonly symbol: string;
  readonly closes: ReadonlyMap<number, number>;
  readonly jobsConsumed: readonly string[];
}

/** Every violation found in the files, as sentences; none when all is well. */
export interface OnDisk {
  readonly assets: readonly AssetOnDisk[];
  readonly violations: readonly string[];
  readonly events: number;
}

type Row = Record<string, unknown>;

/** Opens the SQLite files under a folder that hold a table. */
function databasesWith(folder: string, table: string): DatabaseSync[] {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".sqlite"),
  );
  return files.flatMap((name) => {
    const db = new DatabaseSync(join(folder, name), { readOnly: true });
    const found = db
      .prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?")
      .get(table);
    if (found !== undefined) return [db];
    db.close();
    return [];
  });
}

/** Reads the state of a stopped system from its files and holds it to the guarantees. */
export function readDisk(stateDir: string): OnDisk {
  const violations: string[] = [];
  const assets: AssetOnDisk[] = [];
  let events = 0;
  const heads = new Map<string, { version: number; hash: string }>();
  for (const db of databasesWith(join(stateDir, "v3/do"), "bars")) {
    const rows = db
      .prepare("SELECT version, body, hash FROM events ORDER BY version")
      .all() as Row[];
    const log = rows.map(({ body }) => JSON.parse(String(body)) as StoredEvent);
    const first = log[0];
    if (first === undefined) continue;
    const { streamId } = first;
    events += log.length;
    let hash = GENESIS;
    for (const [index, event] of log.entries()) {
      hash = chainHash(hash, event);
      if (rows[index]?.["hash"] !== hash)
        violations.push(`${streamId} version ${event.version}: the hash is wrong`);
    }
    heads.set(streamId, { version: log.length, hash });
    if (new Set(log.map(({ eventId }) => eventId)).size !== log.length)
      violations.push(`${streamId}: an id twice`);
    // The fold refuses gaps by itself.
    const state = log.map(upcast).reduce(evolveAsset, initialAsset());
    const folded = [...(state.bars.get("1d")?.values() ?? [])].toSorted(
      (a, b) => a.timestamp - b.timestamp,
    );
    const stored = db
      .prepare(
        "SELECT timestamp, open, high, low, close, volume, version FROM bars WHERE resolution = '1d' ORDER BY timestamp",
      )
      .all();
    if (JSON.stringify(sorted(folded)) !== JSON.stringify(sorted(stored as Row[])))
      violations.push(`${streamId}: its bars are not the fold of its events`);
    const waiting = db.prepare("SELECT count(*) AS n FROM outbox").get() as Row;
    if (waiting["n"] !== 0)
      violations.push(`${streamId}: ${waiting["n"]} events never left the outbox`);
    assets.push({
      symbol: state.fact?.symbol ?? "",
      closes: new Map(folded.map(({ timestamp, close }) => [timestamp, close])),
      jobsConsumed: (
        db.prepare("SELECT id FROM consumed WHERE consumer = 'ingest'").all() as Row[]
      ).map(({ id }) => String(id)),
    });
    db.close();
  }
  for (const db of databasesWith(join(stateDir, "v3/d1"), "streams")) {
    const streams = db
      .prepare(
        "SELECT stream_id, projected_version, projected_hash FROM streams WHERE stream_id LIKE 'asset/%'",
      )
      .all() as Row[];
    for (const { stream_id, projected_version, projected_hash } of streams) {
      const head = heads.get(String(stream_id));
      if (head?.version !== projected_version || head?.hash !== projected_hash)
        violations.push(
          `${stream_id}: the read model is at ${projected_version}, the log at ${head?.version}`,
        );
    }
    if (streams.length !== heads.size)
      violations.push(`${heads.size} logs, ${streams.length} projected streams`);
    db.close();
  }
  return { assets, violations, events };
}

/** Rows with their columns in one order, so that they can be compared as text. */
const sorted = (rows: readonly object[]): unknown[] =>
  rows.map((row) => Object.entries(row).toSorted(([a], [b]) => (a < b ? -1 : 1)));
