import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Bar } from "../../../src/domain/asset/bar.ts";
import type { CorporateAction } from "../../../src/domain/asset/corporate-action.ts";
import { decideIndicators } from "../../../src/domain/asset/decide-indicators.ts";
import { actionsBetween, actionsByKey, splitSteps } from "../../../src/domain/asset/split-steps.ts";
import { adjusted } from "../../../src/domain/asset/total-return.ts";
import { sp500 } from "../indicators/sp500.ts";
import { FACT } from "./asset-decider.ts";

const real = sp500().slice(0, 600);

/** Real days as they would have been traded had these splits happened, at the bars given. */
function traded(
  bars: readonly Bar[],
  splits: readonly { readonly at: number; readonly ratio: number }[],
) {
  const raw = bars.map((bar, n): Bar => {
    const by = splits.reduce((product, { at, ratio }) => (n < at ? product * ratio : product), 1);
    const times = (price: number | null) => (price === null ? null : price * by);
    const volume = bar.volume === null ? null : bar.volume / by;
    return {
      ...bar,
      open: times(bar.open),
      high: times(bar.high),
      low: times(bar.low),
      close: bar.close * by,
      volume,
    };
  });
  const actions = splits.map(({ at, ratio }): CorporateAction => {
    return { type: "split", exDate: bars[at]?.timestamp ?? 0, numerator: ratio, denominator: 1 };
  });
  return { raw, actions };
}

const stepsIn = (bars: readonly Bar[], actions: readonly CorporateAction[]) =>
  splitSteps(
    actionsBetween(actionsByKey(actions, "1d", "XNYS"), (key) => {
      const at = bars.findIndex(({ timestamp }) => timestamp >= key);
      const [before, first] = at === -1 ? [bars.at(-1), undefined] : [bars[at - 1], bars[at]];
      return {
        before: before?.close ?? null,
        after: first?.close ?? null,
        first: first?.timestamp ?? null,
      };
    }),
  );

const near = (one: number, other: number) => expect(Math.abs(one / other - 1)).toBeLessThan(1e-9);

const ratios = fc.constantFrom(4, 2, 1.5, 1.2, 1.1, 1 / 3, 0.1, 20);

/**
 * True if a day's own move leaves no doubt about a split of this ratio: below half of it, in logs.
 * On a day that moves by 5 % of itself, bars with an 11:10 split in them and bars without look the
 * same.
 */
const isPlain = (at: number, ratio: number): boolean =>
  Math.abs(Math.log((real[at]?.close ?? 1) / (real[at - 1]?.close ?? 1))) <
  Math.abs(Math.log(ratio)) / 2;

describe("recorded splits that the bars still show", () => {
  it("are taken out of prices and volumes, any ratio, one or several", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 599 }), ratios), {
          minLength: 1,
          maxLength: 3,
        }),
        (drawn) => {
          const splits = [...new Map(drawn).entries()].map(([at, ratio]) => ({ at, ratio }));
          fc.pre(splits.every(({ at, ratio }) => isPlain(at, ratio)));
          const { raw, actions } = traded(real, splits);
          const shown = adjusted(raw, stepsIn(raw, actions));
          for (const [n, bar] of shown.entries()) {
            near(bar.close, real[n]?.close ?? 0);
            near(bar.high ?? 0, real[n]?.high ?? 0);
            near(bar.volume ?? 0, real[n]?.volume ?? 0);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it("are left alone where the bars are adjusted for them already", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 599 }), ratios, (at, ratio) => {
        fc.pre(isPlain(at, ratio));
        expect(stepsIn(real, traded(real, [{ at, ratio }]).actions)).toEqual([]);
      }),
    );
  });

  it("make no difference to indicators, trend and record: they are those of the adjusted series", () => {
    const { raw, actions } = traded(real, [{ at: 500, ratio: 4 }]);
    const made = (bars: readonly Bar[], steps: ReturnType<typeof stepsIn>) =>
      decideIndicators(FACT, null, () => bars.map((bar) => ({ ...bar, version: 1 })), {
        resolution: "1d",
        codeVersion: "test",
        steps,
      }).state;
    const [own, other] = [made(raw, stepsIn(raw, actions)), made(real, [])];
    expect(own.splits).toEqual([{ at: real[500]?.timestamp, factor: 0.25 }]);
    expect({ ...own, splits: [] }).toEqual(other);
  });

  it("restart the analysis when they arrive after the bars, and only then", () => {
    const { raw, actions } = traded(real, [{ at: 500, ratio: 4 }]);
    const about = { resolution: "1d", codeVersion: "test" } as const;
    const versioned = raw.map((bar) => ({ ...bar, version: 1 }));
    const before = decideIndicators(FACT, null, () => versioned, { ...about, steps: [] });
    const after = (timestamp: number) => versioned.filter((bar) => bar.timestamp > timestamp);
    const told = decideIndicators(FACT, { state: before.state, dirtyFrom: null }, after, {
      ...about,
      steps: stepsIn(raw, actions),
    });
    expect(told).toMatchObject({ rebuilt: true, computed: raw.length });
    const again = decideIndicators(FACT, { state: told.state, dirtyFrom: null }, after, {
      ...about,
      steps: stepsIn(raw, actions),
    });
    expect(again).toMatchObject({ rebuilt: false, computed: 0 });
  });

  it("restart it also when the calendar has another number of bars in a year", () => {
    const bars = real.map((bar) => ({ ...bar, version: 1 }));
    const about = { resolution: "4h", codeVersion: "test", steps: [] } as const;
    const { state } = decideIndicators(FACT, null, () => bars, about);
    const moved = decideIndicators(
      { ...FACT, calendar: "XMAD" },
      { state, dirtyFrom: null },
      () => bars,
      about,
    );
    expect(moved.rebuilt).toBe(true);
  });
});
