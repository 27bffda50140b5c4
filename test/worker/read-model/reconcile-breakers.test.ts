import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { breakerObject } from "../../../src/wiring/platform/platform.ts";
import { api } from "../kit/api.ts";
import { Broker } from "../kit/broker.ts";
import { openEndpoint } from "../kit/endpoints.ts";
import { passSeconds, rows, stopClock } from "../kit/market.ts";
import { damage, factsOf, order, reconcile, runOf } from "../kit/reconciled-asset.ts";

const SERVICE = "source:yahoo";
const STREAM = `breaker/${SERVICE}`;
const GRACE = Number(env.SWEEP_AFTER_SECONDS) + 1;

let broker: Broker;
const posted: string[] = [];
beforeAll(async () => {
  stopClock();
  broker = new Broker();
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input) => {
    posted.push(String(input));
    return new Response(null, { status: 204 });
  });
});
beforeEach(async () => {
  await broker.settle();
  posted.splice(0);
});

const act = async (what: "trip" | "reset", service = SERVICE) => {
  passSeconds(1);
  const { status } = await api("POST", `/backoffice/breakers/${service}/${what}`, { reason: what });
  expect(status).toBe(200);
};

/**
 * Closed, open, closed, and open twice in a row: the row tells since when, not since the last time
 * it was said.
 */
async function live(): Promise<void> {
  for (const what of ["trip", "reset", "trip", "trip"] as const) await act(what);
  await broker.settle();
}

const everything = async (service = SERVICE) => ({
  row: await rows("SELECT * FROM breakers WHERE service = ?", service),
  feed: await rows(
    "SELECT event_id, version, event_type, body FROM events WHERE stream_id = ? ORDER BY version",
    `breaker/${service}`,
  ),
  position: await rows(
    "SELECT known_version, projected_version, projected_hash FROM streams WHERE stream_id = ?",
    `breaker/${service}`,
  ),
});

const found = (run: Awaited<ReturnType<typeof reconcile>>) =>
  run.divergences
    .map(({ stream, projection, kind }) => `${stream} ${projection} ${kind}`)
    .toSorted();

interface Damage {
  readonly what: string;
  readonly sql: readonly string[];
  readonly found: readonly string[];
  readonly action: string;
}

const DAMAGES: readonly Damage[] = [
  {
    what: "a row that is gone",
    sql: ["DELETE FROM breakers WHERE service = $S"],
    found: ["breakers missing"],
    action: "rebuild",
  },
  {
    what: "a row that says closed although it is open",
    sql: [
      "UPDATE breakers SET state = 'closed', reason = 'probe', opened_at = NULL WHERE service = $S",
    ],
    found: ["breakers corrupted"],
    action: "reset",
  },
  {
    what: "a row that says it opened when it was only told again",
    sql: ["UPDATE breakers SET opened_at = updated_at WHERE service = $S"],
    found: ["breakers corrupted"],
    action: "reset",
  },
  {
    what: "a row of an older version",
    sql: ["UPDATE breakers SET version = 1, reason = 'manual', detail = 'old' WHERE service = $S"],
    found: ["breakers stale"],
    action: "rebuild",
  },
  {
    what: "a row of a version that is yet to come",
    sql: ["UPDATE breakers SET version = 99, state = 'closed' WHERE service = $S"],
    found: ["breakers ahead"],
    action: "reset",
  },
  {
    what: "an event that is gone from the feed",
    sql: ["DELETE FROM events WHERE stream_id = $T AND version = 2"],
    found: ["events missing"],
    action: "rebuild",
  },
  {
    what: "an event that was edited in the feed",
    sql: [
      "UPDATE events SET body = replace(body, 'reset', 'tamed') WHERE stream_id = $T AND version = 2",
    ],
    found: ["events corrupted"],
    action: "reset",
  },
  {
    what: "a mark with another hash",
    sql: ["UPDATE streams SET projected_hash = 'other' WHERE stream_id = $T"],
    found: ["streams corrupted"],
    action: "reset",
  },
  {
    what: "a mark beyond the log",
    sql: ["UPDATE streams SET projected_version = 9, known_version = 9 WHERE stream_id = $T"],
    found: ["streams ahead"],
    action: "reset",
  },
  {
    what: "a mark that is gone",
    sql: ["DELETE FROM streams WHERE stream_id = $T"],
    found: ["streams missing"],
    action: "rebuild",
  },
  {
    what: "everything gone",
    sql: [
      "DELETE FROM streams WHERE stream_id = $T",
      "DELETE FROM events WHERE stream_id = $T",
      "DELETE FROM breakers WHERE service = $S",
    ],
    found: ["streams missing"],
    action: "rebuild",
  },
];

describe("a comparison of breakers with their logs", () => {
  it("finds nothing where nothing is wrong, and counts only breakers that have told something", async () => {
    await openEndpoint("hook-breakers", ["breaker.#"]);
    await live();
    expect(posted).toHaveLength(4);
    const before = await everything();
    expect(before.row).toMatchObject([{ service: SERVICE, state: "open", version: 4 }]);
    const [row] = before.row;
    expect(row?.["opened_at"]).toBeLessThan(Number(row?.["updated_at"]));
    const run = await reconcile(broker);
    expect(run).toMatchObject({
      state: "done",
      checked: 1,
      verified: 1,
      diverged: 0,
      unreachable: 0,
    });
    expect(await everything()).toEqual(before);
  });

  it.each(DAMAGES)(
    "classifies, repairs and proves: $what",
    async ({ sql, found: expected, action }) => {
      const before = await everything();
      for (const statement of sql) {
        await damage(statement.replaceAll("$S", `'${SERVICE}'`).replaceAll("$T", `'${STREAM}'`));
      }
      passSeconds(GRACE);
      const told = await reconcile(broker, { repair: false });
      expect(found(told).filter((one) => expected.some((e) => one === `${STREAM} ${e}`))).toEqual(
        expected.map((one) => `${STREAM} ${one}`),
      );
      expect(told).toMatchObject({ repaired: 0, unrepaired: told.diverged });
      const run = await reconcile(broker);
      expect(run.divergences.length).toBeGreaterThan(0);
      expect(run.divergences.map((one) => ({ action: one.action, proven: one.proven }))).toEqual(
        run.divergences.map(() => ({ action, proven: true })),
      );
      expect(run.unrepaired).toBe(0);
      expect(await everything()).toEqual(before);
      expect((await factsOf(run.id)).filter((fact) => fact.startsWith("repaired"))).toHaveLength(
        run.repaired,
      );
      // What is repaired was told once, long ago.
      expect(posted).toEqual([]);
      expect(await reconcile(broker)).toMatchObject({ diverged: 0 });
    },
  );

  it("publishes again what was never projected: stale", async () => {
    await act("reset");
    broker.take("EVENTS_QUEUE");
    passSeconds(GRACE);
    const run = await reconcile(broker, { depth: "bulk" });
    expect(found(run)).toEqual([`${STREAM} streams stale`]);
    expect(run).toMatchObject({ repaired: 1, unrepaired: 0 });
    const { row } = await everything();
    expect(row).toMatchObject([{ state: "closed", opened_at: null, version: 5 }]);
  });

  it("knows of a receiver's breaker by its endpoint, though nothing else speaks of it any more", async () => {
    await openEndpoint("hook-lost", ["nothing.at.all"]);
    await act("trip", "webhook:hook-lost");
    await broker.settle();
    const before = await everything("webhook:hook-lost");
    await damage("DELETE FROM streams WHERE stream_id = 'breaker/webhook:hook-lost'");
    await damage("DELETE FROM events WHERE stream_id = 'breaker/webhook:hook-lost'");
    await damage("DELETE FROM breakers WHERE service = 'webhook:hook-lost'");
    passSeconds(GRACE);
    const run = await reconcile(broker, { depth: "bulk" });
    expect(found(run)).toEqual(["breaker/webhook:hook-lost streams missing"]);
    expect(run.unrepaired).toBe(0);
    expect(await everything("webhook:hook-lost")).toEqual(before);
  });

  it("knows since when a breaker is open across the pages of a long log", async () => {
    const service = "source:kraken";
    const stub = breakerObject(env, service);
    for (let turn = 0; turn < 230; turn++) {
      passSeconds(1);
      await stub.trip(service, `turn ${turn}`, null, "test");
    }
    await broker.settle();
    const before = await everything(service);
    expect(before.row).toMatchObject([{ version: 230 }]);
    expect(before.row[0]?.["opened_at"]).toBe(Number(before.row[0]?.["updated_at"]) - 229_000);
    expect(found(await reconcile(broker))).toEqual([]);
    await damage("UPDATE breakers SET opened_at = 1, failures = 7 WHERE service = ?", service);
    const run = await reconcile(broker);
    expect(found(run)).toEqual([`breaker/${service} breakers corrupted`]);
    expect(run.unrepaired).toBe(0);
    expect(await everything(service)).toEqual(before);
  });

  it("is not misled by a log that was tampered with, and repairs nothing from it", async () => {
    const service = "source:tiingo";
    for (const what of ["trip", "reset"] as const) await act(what, service);
    await broker.settle();
    const before = await everything(service);
    await runInDurableObject(breakerObject(env, service), (_, { storage }) => {
      storage.sql.exec("DROP TRIGGER IF EXISTS events_are_facts");
      storage.sql.exec("UPDATE events SET body = replace(body, 'trip', 'trap') WHERE version = 1");
    });
    const run = await reconcile(broker);
    expect(found(run)).toEqual([`breaker/${service} log corrupted`]);
    expect(run).toMatchObject({ repaired: 0, unrepaired: 1 });
    expect(await everything(service)).toEqual(before);
    await runInDurableObject(breakerObject(env, service), (_, { storage }) => {
      storage.sql.exec("UPDATE events SET body = replace(body, 'trap', 'trip') WHERE version = 1");
    });
    expect(await reconcile(broker)).toMatchObject({ unrepaired: 0 });
    expect(await reconcile(broker)).toMatchObject({ diverged: 0 });
  });

  it("overwrites nothing that happens while it repairs", async () => {
    await damage("UPDATE breakers SET detail = 'invented' WHERE service = ?", SERVICE);
    const id = await order(broker);
    for (let step = 0; step < 40 && (await runOf(id)).finishedAt === null; step++) {
      if (step % 3 === 1) await act(step % 2 === 0 ? "trip" : "reset");
      await broker.deliverDue("RECONCILE_QUEUE");
      if (step % 2 === 1) await broker.deliverDue("EVENTS_QUEUE");
      passSeconds(6);
    }
    await broker.settle();
    const { state } = await runOf(id);
    expect(state).toBe("done");
    const after = await everything();
    const { state: breaker, version } = await breakerObject(env, SERVICE).view(SERVICE);
    expect(after.row).toMatchObject([
      { state: breaker.kind, opened_at: breaker.kind === "open" ? breaker.since : null, version },
    ]);
    expect(await reconcile(broker)).toMatchObject({ diverged: 0 });
  });
});
