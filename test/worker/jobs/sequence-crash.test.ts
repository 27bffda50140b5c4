import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { api } from "../kit/api.ts";
import { Broker } from "../kit/broker.ts";
import { openAsset, passSeconds, rows, stopClock } from "../kit/market.ts";
import {
  deadLetterState,
  effectsOf,
  enqueueDays,
  expectAtRest,
  park,
  standingOf,
} from "../kit/parked-jobs.ts";
import { Power } from "../kit/power-loss.ts";

const OVERDUE = Number(env.SWEEP_AFTER_SECONDS) + 1;

let broker: Broker;
let power: Power;
beforeAll(() => {
  stopClock();
  broker = new Broker();
  power = new Power();
});

const act = (id: string, action: "redrive" | "discard") =>
  api(
    "POST",
    `/backoffice/dead-letters/${encodeURIComponent(id)}/${action}`,
    action === "discard" ? { reason: "a test" } : undefined,
  );

/** Everything that was on its way is lost, and time passes until everything is at rest again. */
async function recover(symbol: string): Promise<void> {
  broker.take("INGEST_QUEUE");
  for (let round = 0; round < 12; round++) {
    passSeconds(OVERDUE);
    await broker.tick();
    await broker.settle();
    if (
      (await rows("SELECT 1 FROM jobs WHERE symbol = ? AND finished_at IS NULL", symbol)).length ===
      0
    )
      return;
  }
}

describe.each([
  ["redrive", "before"],
  ["redrive", "after"],
  ["discard", "before"],
  ["discard", "after"],
] as const)(
  "the power goes at any moment of a line that moves after a %s, %s the call's effect",
  (action, when) => {
    it("and the line still runs to its end, in order, once", { timeout: 240_000 }, async () => {
      let cut = 1;
      for (; ; cut++) {
        const symbol = `${action}-${when}-${cut}`.toUpperCase();
        await openAsset(symbol);
        await broker.settle();
        const [first, ...later] = await enqueueDays(symbol, 3);
        if (first === undefined) throw new Error("no first message");
        const deadLetter = await park(broker, first);
        await broker.deliver(
          "INGEST_QUEUE",
          later.map((body, n) => ({
            id: `${symbol} ${n}`,
            body,
            attempts: 1,
            notBefore: Date.now(),
          })),
        );
        expect((await standingOf(symbol)).waiting).toHaveLength(2);

        const reached = await power.cutDuring(cut, when === "after", async () => {
          await act(deadLetter, action);
          for (let n = 0; n < 3; n++) await broker.deliverDue("INGEST_QUEUE");
        });
        await recover(symbol);
        // The operator saw an error and looks again.
        if ((await deadLetterState(deadLetter)) === "open") {
          await act(deadLetter, action);
          await recover(symbol);
        }
        const expected = action === "redrive" ? ["00", "01", "02"] : ["01", "02"];
        expect(await effectsOf(symbol), `cut at call ${cut}`).toEqual(expected);
        expect(await deadLetterState(deadLetter)).toBe(
          action === "redrive" ? "redriven" : "discarded",
        );
        await expectAtRest(symbol);
        if (!reached) break;
      }
      expect(cut).toBeGreaterThan(10);
    });
  },
);

describe("the power goes while jobs are set aside", () => {
  it("and they wait or run later, but are not lost and do not overtake", {
    timeout: 120_000,
  }, async () => {
    for (const takesEffect of [false, true]) {
      for (let cut = 1; cut < 20; cut++) {
        const symbol = `ASIDE-${takesEffect ? 1 : 0}-${cut}`;
        await openAsset(symbol);
        await broker.settle();
        const [first, ...later] = await enqueueDays(symbol, 3);
        if (first === undefined) throw new Error("no first message");
        const deadLetter = await park(broker, first);
        broker.put("INGEST_QUEUE", ...later);
        const reached = await power.cutDuring(cut, takesEffect, () =>
          broker.deliverDue("INGEST_QUEUE"),
        );
        await recover(symbol);
        expect(await effectsOf(symbol)).toEqual([]);
        await act(deadLetter, "redrive");
        await recover(symbol);
        expect(await effectsOf(symbol)).toEqual(["00", "01", "02"]);
        await expectAtRest(symbol);
        if (!reached) break;
      }
    }
  });
});
