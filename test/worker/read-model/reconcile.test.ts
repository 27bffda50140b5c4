import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { Broker } from "../kit/broker.ts";
import { CAUSE, days, object, passSeconds, rows, stopClock } from "../kit/market.ts";
import { damage, everythingOf, factsOf, grow, reconcile } from "../kit/reconciled-asset.ts";

let broker: Broker;
beforeAll(() => {
  stopClock();
  broker = new Broker();
  vi.spyOn(globalThis, "fetch").mockImplementation(async () => new Response(null, { status: 204 }));
});
beforeEach(() => broker.settle());

const GRACE = Number(env.SWEEP_AFTER_SECONDS) + 1;

/** What is done to the read model of an asset with four events, and what a run makes of it. */
interface Damage {
  readonly what: string;
  readonly sql: readonly string[];
  readonly found: readonly string[];
  readonly action: string;
}

const DAMAGES: readonly Damage[] = [
  {
    what: "bars that are gone",
    sql: ["DELETE FROM bars WHERE symbol = $S AND timestamp % 5 = 0"],
    found: ["bars missing"],
    action: "rebuild",
  },
  {
    what: "a close that was edited",
    sql: ["UPDATE bars SET close = close + 0.25 WHERE symbol = $S AND timestamp = 1577836800000"],
    found: ["bars corrupted"],
    action: "reset",
  },
  {
    what: "a bar that no event tells of",
    sql: [
      `INSERT INTO bars SELECT symbol, resolution, timestamp + 1, open, high, low, close, volume, source, version
       FROM bars WHERE symbol = $S LIMIT 1`,
    ],
    found: ["bars corrupted"],
    action: "reset",
  },
  {
    what: "a bar of a version that is yet to come",
    sql: ["UPDATE bars SET version = 99 WHERE symbol = $S AND timestamp = 1577836800000"],
    found: ["bars ahead"],
    action: "reset",
  },
  {
    what: "a bar that claims a version that is not about bars",
    sql: ["UPDATE bars SET version = 3, close = 1 WHERE symbol = $S AND timestamp = 1577836800000"],
    found: ["bars corrupted"],
    action: "reset",
  },
  {
    what: "a bar that is older than it should be",
    sql: ["UPDATE bars SET version = 1 WHERE symbol = $S AND timestamp = 1577836800000"],
    found: ["bars stale"],
    action: "rebuild",
  },
  {
    what: "indicators that were edited",
    sql: [`UPDATE indicators SET "values" = '{}' WHERE symbol = $S AND timestamp = 1577836800000`],
    found: ["indicators corrupted"],
    action: "reset",
  },
  {
    what: "a recommendation that is gone",
    sql: ["DELETE FROM recommendations WHERE symbol = $S"],
    found: ["recommendations missing"],
    action: "rebuild",
  },
  {
    what: "a recommendation that says the opposite",
    sql: ["UPDATE recommendations SET action = 'OTHER' WHERE symbol = $S"],
    found: ["recommendations corrupted"],
    action: "reset",
  },
  {
    what: "a call that is gone from the track record",
    sql: ["DELETE FROM track_record WHERE symbol = $S"],
    found: ["track_record missing"],
    action: "rebuild",
  },
  {
    what: "a call that claims an outcome nobody told",
    sql: ["UPDATE track_record SET outcome = 'hit', independent = 1 WHERE symbol = $S"],
    found: ["track_record corrupted"],
    action: "reset",
  },
  {
    what: "a dividend that is gone",
    sql: ["DELETE FROM corporate_actions WHERE symbol = $S AND type = 'dividend'"],
    found: ["corporate_actions missing"],
    action: "rebuild",
  },
  {
    what: "a dividend of another amount",
    sql: ["UPDATE corporate_actions SET amount = 9 WHERE symbol = $S AND type = 'dividend'"],
    found: ["corporate_actions corrupted"],
    action: "reset",
  },
  {
    what: "a split that nobody told",
    sql: [
      "INSERT INTO corporate_actions (symbol, ex_date, type, numerator, denominator, source, version) VALUES ($S, 1, 'split', 2, 1, 'x', 2)",
    ],
    found: ["corporate_actions corrupted"],
    action: "reset",
  },
  {
    what: "a body in the feed that was edited",
    sql: [
      "UPDATE events SET body = replace(body, '2020', '2021') WHERE stream_id = $T AND version = 2",
    ],
    found: ["events corrupted"],
    action: "reset",
  },
  {
    what: "an event that is gone from the feed",
    sql: ["DELETE FROM events WHERE stream_id = $T AND version = 3"],
    found: ["events missing"],
    action: "rebuild",
  },
  {
    what: "an event that stands elsewhere in the feed",
    sql: ["UPDATE events SET version = 77 WHERE stream_id = $T AND version = 3"],
    found: ["events ahead"],
    action: "",
  },
  {
    what: "a mark that was lowered",
    sql: ["UPDATE streams SET projected_version = 2 WHERE stream_id = $T"],
    found: ["streams corrupted"],
    action: "reset",
  },
  {
    what: "a mark that is gone",
    sql: ["DELETE FROM streams WHERE stream_id = $T"],
    found: ["streams missing"],
    action: "rebuild",
  },
  {
    what: "a mark beyond the log",
    sql: ["UPDATE streams SET projected_version = 40, known_version = 40 WHERE stream_id = $T"],
    found: ["streams ahead"],
    action: "reset",
  },
  {
    what: "a mark with another hash",
    sql: ["UPDATE streams SET projected_hash = 'other' WHERE stream_id = $T"],
    found: ["streams corrupted"],
    action: "reset",
  },
  {
    what: "a read model that is gone altogether",
    sql: [
      "DELETE FROM bars WHERE symbol = $S",
      "DELETE FROM indicators WHERE symbol = $S",
      "DELETE FROM recommendations WHERE symbol = $S",
      "DELETE FROM corporate_actions WHERE symbol = $S",
      "DELETE FROM events WHERE stream_id = $T",
      "DELETE FROM streams WHERE stream_id = $T",
    ],
    found: ["streams missing"],
    action: "rebuild",
  },
  {
    what: "everything at once",
    sql: [
      "UPDATE bars SET close = 1, version = version + 1 WHERE symbol = $S AND timestamp % 2 = 0",
      "DELETE FROM indicators WHERE symbol = $S",
      "UPDATE events SET event_type = 'Other' WHERE stream_id = $T",
      "UPDATE streams SET projected_version = 1, projected_hash = 'x' WHERE stream_id = $T",
    ],
    found: [],
    action: "reset",
  },
];

describe("a divergence", () => {
  it.for(DAMAGES.map((one, index) => ({ ...one, index })))(
    "that is $what is classified, repaired, proven, and told once",
    async ({ sql, found, action, index }) => {
      const symbol = `HURT${index}`;
      await grow(broker, symbol);
      const whole = await everythingOf(symbol);
      passSeconds(GRACE);
      for (const one of sql) {
        await damage(one.replaceAll("$S", `'${symbol}'`).replaceAll("$T", `'asset/${symbol}'`));
      }
      const run = await reconcile(broker, { symbols: [symbol] });
      const kinds = run.divergences.map(({ projection, kind }) => `${projection} ${kind}`);
      for (const one of found) expect(kinds).toContain(one);
      if (found.length === 1 && action !== "") expect(kinds).toEqual(found);
      expect(run).toMatchObject({
        state: "done",
        unrepaired: 0,
        repaired: kinds.length,
        diverged: kinds.length,
      });
      expect(await everythingOf(symbol)).toEqual(whole);
      const facts = await factsOf(run.id);
      expect(facts.filter((fact) => fact.startsWith("diverged"))).toHaveLength(kinds.length);
      expect(facts.filter((fact) => fact.startsWith("repaired"))).toHaveLength(kinds.length);
      if (action !== "") {
        for (const fact of facts.filter((one) => one.startsWith("repaired")))
          expect(fact).toContain(`by ${action}, proven`);
      }
      // Again: nothing is left to be found.
      expect(await reconcile(broker, { symbols: [symbol] })).toMatchObject({
        diverged: 0,
        verified: 1,
      });
    },
  );

  it("that is a stream behind is repaired by publishing it again", async () => {
    await grow(broker, "BEHIND");
    await object("BEHIND").ingest({
      symbol: "BEHIND",
      cause: CAUSE,
      jobId: "ingest|BEHIND|late",
      requestHash: "",
      resolution: "1d",
      source: "import",
      scheduleId: null,
      slot: null,
      bars: days(3, 40),
    });
    expect(broker.take("EVENTS_QUEUE")).toHaveLength(1);
    // On its way is not stale.
    expect(await reconcile(broker, { depth: "bulk", symbols: ["BEHIND"] })).toMatchObject({
      diverged: 0,
    });
    passSeconds(GRACE);
    const run = await reconcile(broker, { depth: "bulk", symbols: ["BEHIND"] });
    expect(run).toMatchObject({ checked: 1, diverged: 1, repaired: 1, unrepaired: 0 });
    expect(await factsOf(run.id)).toEqual([
      "diverged streams stale",
      "repaired streams by republish, proven",
    ]);
    // What was never projected is worked on like any event: it gets its indicators and its
    // recommendation.
    expect(await rows("SELECT id FROM recommendations WHERE symbol = 'BEHIND'")).toHaveLength(2);
  });

  it("is only told when nobody asks for its repair, and told no second time", async () => {
    await grow(broker, "TOLD");
    await damage("UPDATE bars SET close = 1 WHERE symbol = 'TOLD'");
    const before = await everythingOf("TOLD");
    const first = await reconcile(broker, { symbols: ["TOLD"], repair: false });
    expect(first).toMatchObject({ diverged: 1, repaired: 0, unrepaired: 1 });
    expect(await everythingOf("TOLD")).toEqual(before);
    const second = await reconcile(broker, { symbols: ["TOLD"], repair: false });
    expect(second).toMatchObject({ diverged: 1, unrepaired: 1 });
    expect(await factsOf(first.id)).toEqual(["diverged bars corrupted"]);
    expect(await factsOf(second.id)).toEqual([]);
    const open =
      "SELECT count(*) AS n FROM divergences WHERE repaired_at IS NULL AND stream = 'asset/TOLD'";
    expect(await rows(open)).toEqual([{ n: 1 }]);
    // A run that only compares heads knows of it and looks again.
    const third = await reconcile(broker, { symbols: ["TOLD"], depth: "bulk" });
    expect(await factsOf(third.id)).toEqual(["repaired bars by reset, proven"]);
    expect(await rows(open)).toEqual([{ n: 0 }]);
  });
});
