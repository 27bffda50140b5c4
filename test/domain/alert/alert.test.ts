import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type AlertState,
  decideAlert,
  initialAlert,
  notificationOf,
  REMIND_SECONDS,
} from "../../../src/domain/alert/alert.ts";
import {
  ALERT_METRICS,
  ALERT_RULE_IDS,
  ALERT_RULES,
  type AlertRule,
  ruleProblem,
  withChanges,
} from "../../../src/domain/alert/rules.ts";

const START = Date.UTC(2030, 0, 1);
const RULE: AlertRule = {
  id: "oldest-message",
  metric: "oldestMessageSeconds",
  raise: 10,
  clear: 5,
  forSeconds: 120,
  severity: "warning",
  text: "too old",
};

/** Notifications over a series of readings, one a minute. */
function told(rule: AlertRule, readings: readonly (number | null)[]): (string | null)[] {
  let state: AlertState = initialAlert(START);
  return readings.map((reading, minute) => {
    const decision = decideAlert(rule, state, reading, START + minute * 60_000);
    state = decision.state;
    return decision.kind;
  });
}

describe("an alert", () => {
  it("is raised once, when its value has been over the threshold for long enough, and cleared once", () => {
    expect(told(RULE, [0, 12, 12, 12, 50, 9, 6, 5, 5, 0])).toEqual([
      null,
      null,
      null,
      "raised",
      null,
      null,
      null,
      "cleared",
      null,
      null,
    ]);
  });

  it("with a single high reading does not notify, and one without a time notifies at once", () => {
    expect(told(RULE, [12, 12, 9, 12, 12, 9]).every((kind) => kind === null)).toBe(true);
    expect(told({ ...RULE, forSeconds: 0 }, [12, 6, 12, 5])).toEqual([
      "raised",
      null,
      null,
      "cleared",
    ]);
  });

  it("is neither raised nor cleared by a reading that could not be taken", () => {
    expect(told({ ...RULE, forSeconds: 0 }, [null, null])).toEqual([null, null]);
    expect(told({ ...RULE, forSeconds: 0 }, [12, null, null, 5])).toEqual([
      "raised",
      null,
      null,
      "cleared",
    ]);
  });

  it("reminds after a long while, and again after another", () => {
    const day = Array.from({ length: 24 * 60 }, () => 12);
    const kinds = told({ ...RULE, forSeconds: 0 }, day);
    expect(kinds.flatMap((kind, minute) => (kind === null ? [] : [[kind, minute]]))).toEqual([
      ["raised", 0],
      ["still raised", 360],
      ["still raised", 720],
      ["still raised", 1080],
    ]);
  });

  it("keeps the laws of hysteresis for any readings", () => {
    const reading = fc.constantFrom(null, 0, 3, 5, 5.5, 7, 9.9, 10, 12, 20);
    let raisings = 0;
    fc.assert(
      fc.property(
        fc.array(fc.tuple(reading, fc.integer({ min: 1, max: 9 })), {
          minLength: 20,
          maxLength: 60,
        }),
        fc.constantFrom(0, 60, 300),
        (spells, forSeconds) => {
          const readings = spells.flatMap(([value, minutes]) =>
            Array.from({ length: minutes }, () => value),
          );
          const kinds = told({ ...RULE, forSeconds }, readings);
          const turns = kinds.filter((kind) => kind === "raised" || kind === "cleared");
          // It is raised and cleared alternately, raised first.
          expect(turns).toEqual(turns.map((_, at) => (at % 2 === 0 ? "raised" : "cleared")));
          raisings += turns.length;
          let lastNotified = Number.NEGATIVE_INFINITY;
          kinds.forEach((kind, minute) => {
            const value = readings[minute] ?? null;
            if (kind === "cleared") expect(value).toBeLessThanOrEqual(RULE.clear);
            if (kind === "raised") {
              // Every known reading of the whole time was over the threshold.
              const from = minute - forSeconds / 60;
              expect(from).toBeGreaterThanOrEqual(0);
              for (const one of readings.slice(from, minute + 1))
                if (one !== null) expect(one).toBeGreaterThanOrEqual(RULE.raise);
            }
            if (kind === "still raised")
              expect((minute - lastNotified) * 60).toBeGreaterThanOrEqual(REMIND_SECONDS);
            if (kind !== null) lastNotified = minute;
          });
          // Between the thresholds there is no notification, however much the value wavers.
          const calm = readings.map((one) =>
            one === null ? null : RULE.clear + 0.001 + (one % 4.99),
          );
          expect(told({ ...RULE, forSeconds: 0 }, calm).every((kind) => kind === null)).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
    expect(raisings).toBeGreaterThan(500);
  });

  it("states the metric, the start and the value", () => {
    const decision = decideAlert({ ...RULE, forSeconds: 0 }, initialAlert(START), 12, START);
    expect(notificationOf(RULE, decision, "id", START)).toEqual({
      id: "id",
      rule: "oldest-message",
      kind: "raised",
      severity: "warning",
      value: 12,
      raise: 10,
      clear: 5,
      since: "2030-01-01T00:00:00.000Z",
      at: "2030-01-01T00:00:00.000Z",
      text: "too old",
    });
  });
});

describe("the rules", () => {
  it("are one of each, watch something each, and clear below where they raise", () => {
    expect(ALERT_RULES.map(({ id }) => id)).toEqual([...ALERT_RULE_IDS]);
    expect(new Set(ALERT_RULES.map(({ metric }) => metric))).toEqual(new Set(ALERT_METRICS));
    expect(ALERT_RULES.flatMap(ruleProblem)).toEqual([]);
  });

  it("can be changed one by one, and left out", () => {
    const rules = withChanges(ALERT_RULES, {
      "dead-letters": { raise: 100 },
      "error-rate": { off: true },
      "open-breakers": { forSeconds: 5, severity: "critical" },
    });
    expect(rules).toHaveLength(ALERT_RULES.length - 1);
    expect(rules.find(({ id }) => id === "dead-letters")).toMatchObject({ raise: 100, clear: 50 });
    expect(rules.find(({ id }) => id === "open-breakers")).toMatchObject({
      raise: 1,
      forSeconds: 5,
      severity: "critical",
    });
    expect(ruleProblem({ ...RULE, clear: 10 })).toHaveLength(1);
  });
});
