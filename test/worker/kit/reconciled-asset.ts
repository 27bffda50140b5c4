import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { v7 as uuidv7 } from "uuid";
import type { JsonAction } from "../../../src/domain/asset/check-actions.ts";
import type { AnyEvent } from "../../../src/domain/events/envelope.ts";
import { listDivergences } from "../../../src/records/operations/divergence-records.ts";
import {
  findRun,
  type RunRequest,
  requestRun,
  type StoredRun,
} from "../../../src/records/operations/reconciliation-records.ts";
import type { Broker } from "./broker.ts";
import { days, enqueueImport, object, openAsset, passSeconds, rows } from "./market.ts";

const ACTIONS: readonly JsonAction[] = [
  { type: "split", exDate: "2019-06-10", numerator: 4, denominator: 1 },
  { type: "dividend", exDate: "2020-01-03", amount: 0.25 },
];

/** An asset with history, projected up to its recommendation. */
export async function grow(broker: Broker, symbol: string, bars = 30): Promise<void> {
  await openAsset(symbol);
  broker.put("INGEST_QUEUE", await enqueueImport(symbol, "history", days(bars), "1d", ACTIONS));
  await broker.settle();
}

/** Records a run and sends its first message, as the API does. */
export async function order(broker: Broker, changes: Partial<RunRequest> = {}): Promise<string> {
  const id = uuidv7();
  const run: RunRequest = {
    id,
    trigger: "manual",
    actor: "test",
    depth: "deep",
    repair: true,
    symbols: null,
    traceparent: null,
    ...changes,
  };
  await requestRun(env.DB, run, Date.now()).run();
  broker.put("RECONCILE_QUEUE", { reconciliationId: id, step: 0 });
  return id;
}

export async function runOf(id: string): Promise<StoredRun> {
  const run = await findRun(env.DB, id);
  if (run === null) throw new Error(`no run ${id}`);
  return run;
}

/** Lets the clock run until a run is over. */
export async function finish(broker: Broker, id: string): Promise<StoredRun> {
  for (let round = 0; round < 60; round++) {
    await broker.settle();
    const run = await runOf(id);
    if (run.finishedAt !== null) return run;
    // A step whose outcome was lost on its way is found by the sweep.
    const swept = round % 10 === 9;
    passSeconds(swept ? Number(env.SWEEP_AFTER_SECONDS) + 1 : 6);
    if (swept) await broker.tick();
  }
  throw new Error(
    `the run does not end: ${JSON.stringify(await rows("SELECT * FROM reconciliations WHERE id = ?", id))}`,
  );
}

/** A run from its order to its end, with what it found. */
export async function reconcile(broker: Broker, changes: Partial<RunRequest> = {}) {
  const id = await order(broker, changes);
  const run = await finish(broker, id);
  return { ...run, divergences: await listDivergences(env.DB, id, "", 1000) };
}

/** The events a run recorded, as type, projection and kind. */
export async function factsOf(id: string): Promise<string[]> {
  const found = await rows<{ body: string }>(
    "SELECT body FROM events WHERE stream_id = ? ORDER BY version",
    `reconciliation/${id}`,
  );
  return found.map(({ body }) => {
    const event = JSON.parse(body) as AnyEvent;
    if (event.eventType === "ReadModelDiverged")
      return `diverged ${event.payload.projection} ${event.payload.kind}`;
    if (event.eventType !== "ReadModelRepaired") return event.eventType;
    const { projection, action, proven } = event.payload;
    return `repaired ${projection} by ${action}${proven ? ", proven" : ""}`;
  });
}

/** Everything a reader could see of an asset, ids and all. */
export async function everythingOf(symbol: string) {
  const stream = `asset/${symbol}`;
  return {
    bars: await rows("SELECT * FROM bars WHERE symbol = ? ORDER BY timestamp", symbol),
    indicators: await rows("SELECT * FROM indicators WHERE symbol = ? ORDER BY timestamp", symbol),
    recommendations: await rows(
      "SELECT * FROM recommendations WHERE symbol = ? ORDER BY id",
      symbol,
    ),
    actions: await rows(
      "SELECT * FROM corporate_actions WHERE symbol = ? ORDER BY ex_date, type",
      symbol,
    ),
    trackRecord: await rows("SELECT * FROM track_record WHERE symbol = ? ORDER BY id", symbol),
    // Its position in the feed is where an event reached D1; one that was lost comes again at the
    // end.
    feed: await rows(
      `SELECT event_id, stream_id, version, event_type, routing_key, occurred_at, job_id, body
       FROM events WHERE stream_id = ? ORDER BY version`,
      stream,
    ),
    position: await rows(
      "SELECT known_version, projected_version, projected_hash FROM streams WHERE stream_id = ?",
      stream,
    ),
  };
}

export const damage = (sql: string, ...values: unknown[]) => rows(sql, ...values);

/** Changes an object's log behind the back of the triggers that protect it. */
export const tamperLog = (symbol: string, sql: string): Promise<void> =>
  runInDurableObject(object(symbol), (_, { storage }) => {
    storage.sql.exec(`DROP TRIGGER IF EXISTS events_are_facts`);
    storage.sql.exec(`DROP TRIGGER IF EXISTS events_are_kept`);
    storage.sql.exec(sql);
  });

/** Damage of every sort to one asset. */
export async function hurt(symbol: string): Promise<void> {
  const stream = `asset/${symbol}`;
  await damage("UPDATE bars SET close = close + 1 WHERE symbol = ? AND timestamp % 3 = 0", symbol);
  await damage("DELETE FROM bars WHERE symbol = ? AND timestamp = 1577836800000", symbol);
  await damage(
    "UPDATE bars SET version = 3 WHERE symbol = ? AND timestamp = 1577923200000",
    symbol,
  );
  await damage("DELETE FROM indicators WHERE symbol = ? AND timestamp % 2 = 0", symbol);
  await damage(
    "UPDATE events SET body = replace(body, '2020', '2021') WHERE stream_id = ?",
    stream,
  );
  await damage("UPDATE streams SET projected_hash = 'x' WHERE stream_id = ?", stream);
}
