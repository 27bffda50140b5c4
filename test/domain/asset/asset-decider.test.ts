import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AnyEvent } from "../../../src/domain/events/envelope.ts";
import { specification } from "../../kit/given.ts";
import {
  type AssetCommand,
  assetDecider,
  bar,
  DAY,
  FACT,
  ingest,
  placed,
  recommend,
  register,
} from "./asset-decider.ts";
import { evolveAsset, initialAsset } from "./asset-state.ts";

const { given, fold } = specification(assetDecider);
const registered = placed({ eventType: "AssetRegistered", payload: FACT }, 1);

describe("an asset", () => {
  it("is registered once", () => {
    given().when(register()).then({ eventType: "AssetRegistered", payload: FACT });
    given(registered).when(register()).thenNothing();
  });

  it("is updated when something about it is different", () => {
    given(registered)
      .when(register({ currency: "EUR" }))
      .then({ eventType: "AssetUpdated", payload: { currency: "EUR" } });
  });

  it("accepts nothing before it is registered", () => {
    given()
      .when(ingest(bar(1, 100)))
      .thenRefused("asset.unknown");
    given()
      .when(recommend("h", "r", 0))
      .thenRefused("asset.unknown");
  });

  it("ingests new bars, revises changed ones, and ignores repeated ones", () => {
    given(registered)
      .when(ingest(bar(1, 100), bar(2, 101)))
      .then({
        eventType: "MarketDataIngested",
        payload: { bars: [{ close: 100 }, { close: 101 }] },
      });
    given(registered)
      .when(ingest(bar(1, 100)), ingest(bar(1, 100)))
      .thenNothing();
    given(registered)
      .when(ingest(bar(1, 100), bar(2, 101)), ingest(bar(2, 102), bar(3, 103)))
      .then(
        {
          eventType: "MarketDataIngested",
          version: 3,
          payload: { part: 1, parts: 2, bars: [{ close: 103 }] },
        },
        {
          eventType: "MarketDataRevised",
          version: 4,
          payload: {
            part: 2,
            parts: 2,
            revisions: [{ before: { close: 101 }, after: { close: 102 } }],
          },
        },
      );
    given(registered).when(ingest()).thenNothing();
  });

  it("keeps the bar of the newest event", () => {
    given(registered)
      .when(ingest(bar(1, 100)), ingest(bar(1, 90)))
      .thenState(({ bars, version }) => {
        expect(version).toBe(3);
        expect([...(bars.get("1d")?.values() ?? [])]).toEqual([{ ...bar(1, 90), version: 3 }]);
      });
  });

  it("answers a snapshot once, and its first answer remains", () => {
    given(registered)
      .when(recommend("h", "first", 1))
      .then({ eventType: "RecommendationGenerated", payload: { recommendationId: "first" } });
    given(registered)
      .when(recommend("h", "first", 1), recommend("h", "second", 2))
      .thenNothing();
    given(registered)
      .when(recommend("h", "first", 1), recommend("other", "second", 2))
      .then({ payload: { recommendationId: "second" } });
  });

  it("refuses an answer when the asset has changed meanwhile", () => {
    given(registered)
      .when(ingest(bar(1, 100)), recommend("h", "late", 1))
      .thenRefused("stream.version_conflict");
    given(registered)
      .when(recommend("h", "early", 9))
      .thenRefused("stream.version_conflict");
  });

  it("is not folded over a gap", () => {
    expect(() => evolveAsset(initialAsset(), { ...registered, version: 2 })).toThrow(RangeError);
    expect(() => fold([registered, registered])).toThrow(RangeError);
  });
});

/** The simplest model: the last close of each day, and the ids of answered snapshots. */
interface Model {
  registered: boolean;
  closes: Map<number, number>;
  answers: Map<string, string>;
}

interface Real {
  events: AnyEvent[];
}

class Run implements fc.Command<Model, Real> {
  readonly #command: AssetCommand;

  constructor(command: AssetCommand) {
    this.#command = command;
  }

  check = () => true;

  run(model: Model, real: Real): void {
    const state = fold(real.events);
    const command = this.#command;
    // Half of the answers are made on an old version.
    const decided = assetDecider.decide(state, command);
    if ("refused" in decided) {
      if (!model.registered) expect(decided.refused).toBe("asset.unknown");
      else expect(decided.refused).toBe("stream.version_conflict");
      return;
    }
    real.events.push(...decided);
    switch (command.do) {
      case "register":
        model.registered = true;
        break;
      case "ingest":
        for (const { timestamp, close } of command.command.bars) model.closes.set(timestamp, close);
        break;
      case "recommend": {
        const { snapshotHash, recommendationId } = command.command.recommendation;
        if (!model.answers.has(snapshotHash)) model.answers.set(snapshotHash, recommendationId);
        break;
      }
    }
    const after = fold(real.events);
    expect(after.version).toBe(real.events.length);
    expect(after.fact !== null).toBe(model.registered);
    const closes = [...(after.bars.get("1d")?.values() ?? [])].map((b) => [b.timestamp, b.close]);
    expect(new Map(closes as [number, number][])).toEqual(model.closes);
    expect(after.answers).toEqual(model.answers);
  }

  toString = () => JSON.stringify(this.#command);
}

const someBars = fc
  .uniqueArray(fc.tuple(fc.nat({ max: 12 }), fc.nat({ max: 3 })), {
    selector: ([day]) => day,
    maxLength: 6,
  })
  .map((pairs) => pairs.toSorted(([a], [b]) => a - b).map(([day, close]) => bar(day, 100 + close)));

describe("the model of an asset", () => {
  it("agrees with the decider over any history of commands", () => {
    const commands = [
      fc.constantFrom("USD", "EUR").map((currency) => new Run(register({ currency }))),
      someBars.map((bars) => new Run(ingest(...bars))),
      fc
        .tuple(fc.constantFrom("a", "b", "c"), fc.uuid(), fc.nat({ max: 25 }))
        .map(([hash, id, version]) => new Run(recommend(hash, id, version))),
    ];
    fc.assert(
      fc.property(fc.commands(commands, { maxCommands: 40 }), (all) => {
        fc.modelRun(
          () => ({
            model: { registered: false, closes: new Map(), answers: new Map() },
            real: { events: [] },
          }),
          all,
        );
      }),
      { numRuns: 200 },
    );
  });

  it("is the same however a history of bars is cut into batches", () => {
    fc.assert(
      fc.property(fc.array(someBars, { minLength: 1, maxLength: 8 }), (batches) => {
        const play = (parts: readonly AssetCommand[]) => {
          const events: AnyEvent[] = [registered];
          for (const command of parts) {
            const decided = assetDecider.decide(fold(events), command);
            if (!("refused" in decided)) events.push(...decided);
          }
          return [...(fold(events).bars.get("1d")?.values() ?? [])]
            .map(({ timestamp, close }) => [timestamp / DAY, close])
            .toSorted(([a = 0], [b = 0]) => a - b);
        };
        const whole = play(batches.map((bars) => ingest(...bars)));
        const single = play(batches.flatMap((bars) => bars.map((one) => ingest(one))));
        expect(single).toEqual(whole);
      }),
    );
  });
});
