import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { Broker } from "../kit/broker.ts";
import { openEndpoint } from "../kit/endpoints.ts";
import { passSeconds, rows, stopClock } from "../kit/market.ts";
import {
  damage,
  everythingOf,
  factsOf,
  grow,
  reconcile,
  runOf,
  tamperLog,
} from "../kit/reconciled-asset.ts";

let broker: Broker;
beforeAll(() => {
  stopClock();
  broker = new Broker();
  vi.spyOn(globalThis, "fetch").mockImplementation(async () => new Response(null, { status: 204 }));
});
beforeEach(() => broker.settle());

const GRACE = Number(env.SWEEP_AFTER_SECONDS) + 1;

describe("a log that is not to be trusted", () => {
  it("is told and left alone, and so is the read model", async () => {
    await grow(broker, "BADLOG");
    await tamperLog(
      "BADLOG",
      "UPDATE events SET body = replace(body, '2020', '2021') WHERE version = 2",
    );
    const before = await everythingOf("BADLOG");
    const run = await reconcile(broker, { symbols: ["BADLOG"] });
    expect(run.divergences).toMatchObject([
      { projection: "log", kind: "corrupted", repairedAt: null },
    ]);
    expect(await everythingOf("BADLOG")).toEqual(before);
    expect(await factsOf(run.id)).toEqual(["diverged log corrupted"]);
  });

  it.for([
    ["a lost event", "DELETE FROM events WHERE version = 2"],
    ["a body that cannot be read", "UPDATE events SET body = '{' WHERE version = 3"],
    [
      "another stream's event",
      "UPDATE events SET body = replace(body, 'asset/', 'asset/X') WHERE version = 3",
    ],
  ])("is noticed by %s", async ([, sql], { task }) => {
    const symbol = `LOG${task.id.replaceAll(/\W/g, "")}`.slice(0, 30).toUpperCase();
    await grow(broker, symbol);
    await tamperLog(symbol, sql ?? "");
    const before = await everythingOf(symbol);
    const run = await reconcile(broker, { symbols: [symbol] });
    expect(run.divergences).toMatchObject([
      { projection: "log", kind: "corrupted", repairedAt: null },
    ]);
    expect(await everythingOf(symbol)).toEqual(before);
  });

  it("because it has lost facts is no reason to drop them, unless a person names the asset", async () => {
    await grow(broker, "SHORT");
    await tamperLog("SHORT", "DELETE FROM events WHERE version = 4");
    passSeconds(GRACE);
    const before = await everythingOf("SHORT");
    const every = await reconcile(broker, { depth: "bulk" });
    expect(every.divergences.map(({ stream, projection }) => `${stream} ${projection}`)).toContain(
      "asset/SHORT log",
    );
    expect(await everythingOf("SHORT")).toEqual(before);
    const named = await reconcile(broker, { symbols: ["SHORT"] });
    expect(named).toMatchObject({ unrepaired: 0 });
    const after = await everythingOf("SHORT");
    expect(after.feed).toEqual(before.feed.slice(0, 3));
    expect(after.recommendations).toEqual([]);
    expect(after.bars).toEqual(before.bars);
    expect(after.position).toMatchObject([{ known_version: 3, projected_version: 3 }]);
  });

  it("because it is empty is no reason to drop anything", async () => {
    await grow(broker, "EMPTY");
    await tamperLog("EMPTY", "DELETE FROM events");
    await damage("DELETE FROM events WHERE stream_id = 'asset/EMPTY'");
    const before = await everythingOf("EMPTY");
    const run = await reconcile(broker, { depth: "bulk" });
    expect(run.divergences.map(({ stream, projection }) => `${stream} ${projection}`)).toContain(
      "asset/EMPTY log",
    );
    expect(await everythingOf("EMPTY")).toEqual(before);
  });
});

describe("streams that have no object", () => {
  it("are compared too, and one behind is published again", async () => {
    const hook = await openEndpoint("hook-runs", ["reconciliation.#"]);
    await grow(broker, "SOURCE");
    await damage("UPDATE bars SET close = 1 WHERE symbol = 'SOURCE'");
    const run = await reconcile(broker, { symbols: ["SOURCE"] });
    const stream = `reconciliation/${run.id}`;
    const sent = "SELECT id FROM deliveries WHERE endpoint_id = ?";
    expect(await rows(sent, hook.id)).toHaveLength(2);
    await damage(
      "UPDATE streams SET projected_version = 0, projected_hash = NULL WHERE stream_id = ?",
      stream,
    );
    passSeconds(GRACE);
    await reconcile(broker, { depth: "bulk" });
    expect(await rows("SELECT projected_version FROM streams WHERE stream_id = ?", stream)).toEqual(
      [{ projected_version: 2 }],
    );
    expect(
      await rows(
        `${sent} AND event_id IN (SELECT event_id FROM events WHERE stream_id = '${stream}')`,
        hook.id,
      ),
    ).toHaveLength(2);
    expect((await runOf(run.id)).state).toBe("done");
    // Their feed is their log: when it was changed nothing tells what stood there.
    await damage(
      "UPDATE events SET body = replace(body, 'corrupted', 'stale') WHERE stream_id = ?",
      stream,
    );
    const deep = await reconcile(broker, { depth: "deep" });
    expect(deep.divergences.filter((one) => one.stream === stream)).toMatchObject([
      { projection: "log", kind: "corrupted", repairedAt: null },
    ]);
  });
});
