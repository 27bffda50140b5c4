import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Bar } from "../../../src/domain/asset/bar.ts";
import {
  type CorporateAction,
  firstBarWithout,
} from "../../../src/domain/asset/corporate-action.ts";
import { resample } from "../../../src/domain/asset/resample.ts";
import {
  type ActionsBetween,
  actionsAfter,
  adjusted,
  adjustmentSteps,
} from "../../../src/domain/asset/total-return.ts";
import { sessionsBetween } from "../../../src/domain/market/calendar.ts";

const answer = sessionsBetween("XNYS", "2024-01-02", "2024-06-28");
const days = answer.kind === "sessions" ? answer.sessions.map(({ date }) => Date.parse(date)) : [];

/**
 * Closes, and for each day but the first its dividend as a share of the close before: 0 for none.
 */
const history = fc
  .array(fc.tuple(fc.double({ min: 50, max: 150, noNaN: true }), fc.nat({ max: 30 })), {
    minLength: 3,
    maxLength: days.length,
  })
  .map((rows) => {
    const bars = rows.map(
      ([close], n): Bar => ({
        timestamp: days[n] ?? 0,
        open: close * 0.99,
        high: close * 1.02,
        low: close * 0.97,
        close,
        volume: 1_000 + n,
      }),
    );
    const actions = rows.flatMap(([, percent], n): CorporateAction[] =>
      n > 0 && percent > 0 && percent < 20
        ? [
            {
              type: "dividend",
              exDate: days[n] ?? 0,
              amount: ((rows[n - 1]?.[0] ?? 0) * percent) / 100,
            },
          ]
        : [],
    );
    return { bars, actions };
  });

const between = (bars: readonly Bar[], actions: readonly CorporateAction[]): ActionsBetween[] =>
  actions.map((action) => {
    const at = firstBarWithout("1d", "XNYS", action);
    return {
      at,
      actions: [action],
      before: bars.findLast(({ timestamp }) => timestamp < at)?.close ?? null,
      after: bars.find(({ timestamp }) => timestamp >= at)?.close ?? null,
    };
  });

const stepsOf = (bars: readonly Bar[], actions: readonly CorporateAction[]) => {
  const reading = adjustmentSteps(between(bars, actions));
  if (!reading.ok) throw new Error(`no factor at ${reading.at}`);
  return reading.steps;
};

const near = (one: number, other: number) => expect(Math.abs(one / other - 1)).toBeLessThan(1e-9);

describe("prices adjusted to total returns", () => {
  it("grow as a holding does that buys more of itself with each dividend at the price without it", () => {
    fc.assert(
      fc.property(history, ({ bars, actions }) => {
        const shown = adjusted(bars, stepsOf(bars, actions));
        let shares = 1;
        for (const [n, bar] of bars.entries()) {
          const before = bars[n - 1];
          const paid = actions.find(({ exDate }) => exDate === bar.timestamp);
          if (before !== undefined && paid?.type === "dividend")
            shares += (shares * paid.amount) / (before.close - paid.amount);
          near(
            (shown[n]?.close ?? 0) / (shown[0]?.close ?? 1),
            (shares * bar.close) / (bars[0]?.close ?? 1),
          );
        }
        // The newest prices stay as they are.
        expect(shown.at(-1)).toEqual(bars.at(-1));
      }),
    );
  });

  it("move a bar as a whole, and leave its volume where nothing was split", () => {
    fc.assert(
      fc.property(history, ({ bars, actions }) => {
        for (const [n, bar] of adjusted(bars, stepsOf(bars, actions)).entries()) {
          const was = bars[n];
          if (was === undefined) throw new Error("a bar too many");
          const factor = bar.close / was.close;
          for (const field of ["open", "high", "low"] as const)
            near(bar[field] ?? 0, (was[field] ?? 0) * factor);
          expect(bar).toMatchObject({ timestamp: was.timestamp, volume: was.volume });
        }
      }),
    );
  });

  it("are the same whether closes are adjusted and then resampled, or the weeks' last days adjusted alone", () => {
    fc.assert(
      fc.property(history, ({ bars, actions }) => {
        const steps = stepsOf(bars, actions);
        const options = { from: "1d", to: "1w", calendar: "XNYS" } as const;
        const weeks = resample(adjusted(bars, steps), options).bars;
        const lastDays = resample(bars, options).bars.map(({ timestamp, parts }, n, all) => {
          const upTo = all.slice(0, n + 1).reduce((sum, week) => sum + week.parts, 0);
          const day = bars[upTo - 1];
          if (day === undefined || parts === 0) throw new Error(`no day of ${timestamp}`);
          return day;
        });
        expect(weeks.map(({ close }) => close)).toEqual(
          adjusted(lastDays, steps).map(({ close }) => close),
        );
      }),
    );
  });

  it("are the same of a part of the series as of all of it, since later actions count", () => {
    fc.assert(
      fc.property(history, fc.nat(), fc.nat(), ({ bars, actions }, one, other) => {
        const steps = stepsOf(bars, actions);
        const [from, to] = [one % bars.length, other % bars.length].toSorted((a, b) => a - b);
        expect(adjusted(bars.slice(from, to), steps)).toEqual(
          adjusted(bars, steps).slice(from, to),
        );
      }),
    );
  });

  it("without an action are the very bars", () => {
    fc.assert(
      fc.property(history, ({ bars }) => {
        expect(adjusted(bars, stepsOf(bars, []))).toBe(bars);
      }),
    );
  });

  it("divide volumes by what a split that the bars still show multiplies shares by", () => {
    const raw = [100, 25].map((close, n): Bar => {
      return {
        timestamp: days[n] ?? 0,
        open: close,
        high: close,
        low: close,
        close,
        volume: 1_000,
      };
    });
    const split: CorporateAction = {
      type: "split",
      exDate: days[1] ?? 0,
      numerator: 4,
      denominator: 1,
    };
    expect(adjusted(raw, stepsOf(raw, [split]))).toEqual([
      { ...raw[0], open: 25, high: 25, low: 25, close: 25, volume: 4_000 },
      raw[1],
    ]);
  });

  it("of closes alone leave what is not known unknown", () => {
    const closes = [100, 98].map((close, n): Bar => {
      return { timestamp: days[n] ?? 0, open: null, high: null, low: null, close, volume: null };
    });
    const paid: CorporateAction = { type: "dividend", exDate: days[1] ?? 0, amount: 2 };
    expect(adjusted(closes, stepsOf(closes, [paid]))).toEqual([
      { ...closes[0], close: 98 },
      closes[1],
    ]);
  });
});

describe("the factor", () => {
  const at = days[1] ?? 0;
  const paid = (amount: number): CorporateAction => ({ type: "dividend", exDate: at, amount });
  const split = (numerator: number, denominator = 1): CorporateAction => ({
    type: "split",
    exDate: at,
    numerator,
    denominator,
  });
  const factor = (
    actions: readonly CorporateAction[],
    before: number | null,
    after: number | null,
  ) => {
    const reading = adjustmentSteps([{ at, actions, before, after }]);
    return reading.ok ? (reading.steps[0]?.factor ?? 1) : null;
  };

  it.each<[string, readonly CorporateAction[], number | null, number | null, number | null]>([
    ["of one dividend is 1 − D / C", [paid(2)], 100, 98, 0.98],
    ["of two on one day is that of their sum", [paid(2), paid(3)], 100, 95, 0.95],
    ["of one taken back is 1", [paid(0)], 100, 98, 1],
    ["of what has not come yet is 1", [paid(2)], 100, null, 1],
    ["of what nothing was before is 1", [paid(2)], null, 98, 1],
    ["of a split that the stored bars show is its own", [split(4)], 100, 26, 0.25],
    ["of a split that they do not show is 1", [split(4)], 25, 26, 1],
    ["of a merger of shares that they show is its own", [split(1, 10)], 5, 52, 10],
    [
      "of a small split that they show is its own, since it is recorded",
      [split(21, 20)],
      100,
      95.2,
      20 / 21,
    ],
    ["of a small split that they do not show is 1", [split(21, 20)], 100, 99.1, 1],
    ["of 11:10 that they show is its own", [split(11, 10)], 100, 92, 10 / 11],
    ["of 6:5 that they do not show is 1", [split(6, 5)], 100, 96, 1],
    ["of a reverse 1:3 that they show is its own", [split(1, 3)], 100, 310, 3],
    [
      "of a split that they do not show on the day of a dividend of its size",
      [split(11, 10), paid(9)],
      100,
      91,
      0.91,
    ],
    [
      "of a split that they show on the day of such a dividend counts both",
      [split(11, 10), paid(9)],
      100,
      82,
      10 / 11 - 0.09,
    ],
    [
      "of a split and a dividend counts the dividend on the new shares",
      [split(2), paid(1)],
      100,
      49,
      0.49,
    ],
    ["of a dividend that is the whole price does not exist", [paid(100)], 100, 1, null],
    ["of more than the price does not exist", [paid(150)], 100, 1, null],
  ])("%s", (_, actions, before, after, expected) => {
    const found = factor(actions, before, after);
    if (expected === null) expect(found).toBeNull();
    else expect(found).toBeCloseTo(expected, 12);
  });

  it("counts the actions that took part", () => {
    const steps = [
      { at: 10, factor: 0.9, split: 1, actions: 2 },
      { at: 20, factor: 0.5, split: 0.5, actions: 1 },
    ];
    expect([5, 10, 15, 20].map((first) => actionsAfter(steps, first))).toEqual([3, 1, 1, 0]);
  });
});
