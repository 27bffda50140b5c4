import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import {
  allowedActions,
  decideAction,
  withheldReading,
} from "../../../src/domain/recommendation/recommended-action.ts";
import {
  noCounts,
  type TrackRecordCounts,
} from "../../../src/domain/recommendation/track-record-state.ts";

/** `up` of `n` times the price rose; of `buys` BUY recommendations `right` were. */
const record = (n: number, up: number, buys: number, right: number): TrackRecordCounts => ({
  ...noCounts(),
  n,
  up,
  down: n - up,
  quiet: n,
  actions: {
    BUY: { n: buys, hits: right },
    HOLD: { n: 0, hits: 0 },
    SELL: { n: n - buys, hits: 0 },
  },
});

describe("a call", () => {
  it("that is right no more often than the price rises anyway is withheld, with its edge and its sample", () => {
    // Base (120 + 5) / 210; 50 of 90 right: (50 + 20 · base) / 110.
    const counts = record(200, 120, 90, 50);
    const { action, withheld } = decideAction("UP", counts);
    expect(action).toBe("HOLD");
    if (withheld === null) throw new Error("nothing is withheld");
    expect(withheld.confidence).toMatchObject({ samples: 90, hitRate: 50 / 90 });
    expect(withheldReading(withheld, "The trend")).toBe(
      "The trend points to BUY, but it is not recommended: by 90 evaluated BUY recommendations its calibrated probability of 56.3 % " +
        "does not beat the base rate of 59.5 %, so this is a HOLD.",
    );
    expect(decideAction("DOWN", counts)).toMatchObject({
      action: "HOLD",
      withheld: { action: "SELL" },
    });
  });

  it("without an evaluated recommendation is withheld", () => {
    const { action, withheld } = decideAction("UP", noCounts());
    expect(action).toBe("HOLD");
    if (withheld === null) throw new Error("nothing is withheld");
    expect(withheldReading(withheld, "The trend")).toContain(
      "no evaluated BUY shows that it beats",
    );
  });

  it("that is right more often is recommended", () => {
    expect(decideAction("UP", record(200, 120, 90, 60))).toMatchObject({
      action: "BUY",
      withheld: null,
    });
    expect(allowedActions("UP", record(200, 120, 90, 60))).toEqual(["BUY", "HOLD"]);
    expect(allowedActions("SIDEWAYS", record(200, 120, 90, 60))).toEqual(["HOLD"]);
  });
});

test("whatever the record, a BUY or SELL has been evaluated and beats its base rate", () => {
  const count = fc.nat(1_000);
  fc.assert(
    fc.property(
      count,
      count,
      count,
      count,
      fc.constantFrom("UP", "DOWN", "SIDEWAYS"),
      (n, up, buys, right, direction) => {
        const called = Math.min(buys, n);
        const { action, confidence } = decideAction(
          direction,
          record(n, Math.min(up, n), called, Math.min(right, called)),
        );
        if (action === "HOLD") return;
        expect(confidence.samples).toBeGreaterThan(0);
        expect(confidence.confidence).toBeGreaterThan(confidence.baseRate);
      },
    ),
  );
});
