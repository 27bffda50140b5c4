import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { POSITION_MOVED, setPosition, writeRange } from "../../../src/read-model/repair.ts";
import { Broker } from "../kit/broker.ts";
import { CAUSE, days, eventsOf, object, rows, stopClock } from "../kit/market.ts";
import { everythingOf, grow } from "../kit/reconciled-asset.ts";

let broker: Broker;
beforeAll(() => {
  stopClock();
  broker = new Broker();
});

describe("a page of a repair that was held up", () => {
  it("does not overwrite what has been projected since", async () => {
    await grow(broker, "HELD", 5);
    const stored = await eventsOf("HELD");
    await object("HELD").ingest({
      symbol: "HELD",
      cause: CAUSE,
      jobId: "ingest|HELD|later",
      requestHash: "",
      resolution: "1d",
      source: "import",
      scheduleId: null,
      slot: null,
      bars: days(1).map((bar) => ({ ...bar, close: bar.close + 0.25 })),
    });
    await broker.settle();
    const after = await everythingOf("HELD");
    await env.DB.batch(
      writeRange(env.DB, {
        streamId: "asset/HELD",
        symbol: "HELD",
        stored,
        events: stored,
        openSince: null,
      }),
    );
    expect(await everythingOf("HELD")).toEqual(after);
  });

  it("sets no mark that has moved, and takes everything else of its transaction back", async () => {
    await grow(broker, "MOVED", 3);
    const [before] = await rows<{ projected_version: number; projected_hash: string }>(
      "SELECT projected_version, projected_hash FROM streams WHERE stream_id = 'asset/MOVED'",
    );
    const hash = before?.projected_hash ?? "";
    const version = before?.projected_version ?? 0;
    const whole = await everythingOf("MOVED");
    for (const from of [
      { version: version - 1, hash },
      { version, hash: "another" },
      { version, hash: null },
    ]) {
      const to = { version: 1, hash: "older" };
      await expect(
        env.DB.batch([
          env.DB.prepare("DELETE FROM bars WHERE symbol = 'MOVED'"),
          setPosition(env.DB, "asset/MOVED", from, to, Date.now()),
        ]),
      ).rejects.toThrow(POSITION_MOVED);
      expect(await everythingOf("MOVED")).toEqual(whole);
    }
    await setPosition(
      env.DB,
      "asset/MOVED",
      { version, hash },
      { version: 2, hash: "right" },
      Date.now(),
    ).run();
    expect((await everythingOf("MOVED")).position).toMatchObject([
      { projected_version: 2, projected_hash: "right" },
    ]);
  });
});
