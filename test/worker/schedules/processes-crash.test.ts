import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Broker } from "../kit/broker.ts";
import { eventsOf, passSeconds, stopClock } from "../kit/market.ts";
import { archived, effectsOf, Mortal, start, untilEnded, upToBackfill } from "../kit/onboarding.ts";

let broker: Broker;
beforeAll(() => {
  stopClock();
  broker = new Broker();
});
beforeEach(() => broker.settle());

describe("a worker that dies at any moment of any step", () => {
  it.each(["before", "after"] as const)(
    "%s it did what it was about to do leaves a process that completes, with every effect once",
    async (when) => {
      for (let nth = 1; ; nth++) {
        const symbol = `D${nth}${when === "before" ? "B" : "A"}`;
        const id = await start(symbol, "import");
        const mortal = new Mortal(nth, when);
        for (let round = 0; round < 10 && !mortal.dead; round++) {
          const deadLetters = broker.take("PROCESSES_QUEUE");
          if (deadLetters.length > 0)
            await broker.deliver("PROCESSES_QUEUE", deadLetters, mortal.env);
        }
        expect(await untilEnded(broker, id), `dead at ${nth}`).toBe("completed");
        expect(await effectsOf(symbol), `dead at ${nth}`).toEqual([
          "asset.register",
          "notification.send",
        ]);
        expect(await eventsOf(symbol)).toHaveLength(1);
        if (!mortal.dead) {
          expect(nth).toBeGreaterThan(20);
          return;
        }
      }
    },
    120_000,
  );

  it.each(["before", "after"] as const)(
    "%s it did it while a process is taken back leaves one that is taken back whole",
    async (when) => {
      for (let nth = 1; ; nth++) {
        const symbol = `C${nth}${when === "before" ? "B" : "A"}`;
        const id = await upToBackfill(broker, symbol);
        // Its price source is not configured: the job fails at once, and with it the step.
        await broker.deliverDue("INGEST_QUEUE");
        passSeconds(5);
        const mortal = new Mortal(nth, when);
        for (let round = 0; round < 10 && !mortal.dead; round++) {
          const deadLetters = broker.take("PROCESSES_QUEUE");
          if (deadLetters.length > 0)
            await broker.deliver("PROCESSES_QUEUE", deadLetters, mortal.env);
        }
        expect(await untilEnded(broker, id), `dead at ${nth}`).toBe("compensated");
        expect(await effectsOf(symbol), `dead at ${nth}`).toEqual([
          "asset.register",
          "asset.archive",
        ]);
        expect(await archived(symbol)).toBe(true);
        if (!mortal.dead) {
          expect(nth).toBeGreaterThan(10);
          return;
        }
      }
    },
    120_000,
  );
});
