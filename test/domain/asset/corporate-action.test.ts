import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { actionsOf, fromActionFact } from "../../../src/domain/asset/action-fact.ts";
import { checkActions, type JsonAction } from "../../../src/domain/asset/check-actions.ts";
import {
  actionKey,
  type CorporateAction,
  mergeActions,
} from "../../../src/domain/asset/corporate-action.ts";
import { ingestEvents } from "../../../src/domain/asset/ingest.ts";
import { specification } from "../../kit/given.ts";
import { assetDecider, bar, DAY, FACT, ingestWith, placed } from "./asset-decider.ts";

const paid = (day: number, amount: number): CorporateAction => ({
  type: "dividend",
  exDate: day * DAY,
  amount,
});
const split = (day: number, numerator: number): CorporateAction => ({
  type: "split",
  exDate: day * DAY,
  numerator,
  denominator: 1,
});
const some = fc.array(
  fc
    .tuple(fc.boolean(), fc.nat({ max: 6 }), fc.integer({ min: 1, max: 4 }))
    .map(([pays, day, size]) => (pays ? paid(day, size) : split(day, size))),
  { maxLength: 12 },
);
const stateAfter = (
  ...batches: readonly (readonly CorporateAction[])[]
): Map<string, CorporateAction> => {
  const state = new Map<string, CorporateAction>();
  for (const batch of batches)
    for (const { after } of mergeActions([...state.values()], batch))
      state.set(actionKey(after), after);
  return state;
};

const { given } = specification(assetDecider);
const registered = placed({ eventType: "AssetRegistered", payload: FACT }, 1);

describe("corporate actions that come again", () => {
  it("change nothing when they say the same", () => {
    fc.assert(
      fc.property(some, some, (first, second) => {
        const known = [...stateAfter(first, second).values()];
        expect(mergeActions(known, known)).toEqual([]);
        const again = stateAfter(first, second, second);
        expect(again).toEqual(stateAfter(first, second));
      }),
    );
  });

  it("are one of a kind a day, the last one received", () => {
    fc.assert(
      fc.property(some, (batch) => {
        const state = stateAfter(batch);
        for (const action of batch)
          expect(state.get(actionKey(action))).toEqual(
            batch.findLast((one) => actionKey(one) === actionKey(action)),
          );
      }),
    );
  });

  it("are facts of the asset: new, then revised with what was before, then nothing", () => {
    given(registered)
      .when(ingestWith([paid(2, 1)], bar(1, 100)))
      .then({
        eventType: "MarketDataIngested",
        payload: {
          part: 1,
          parts: 1,
          bars: [{ close: 100 }],
          actions: [{ type: "dividend", exDate: "1970-01-03", amount: 1, before: null }],
        },
      });
    given(registered)
      .when(
        ingestWith([paid(2, 1)], bar(1, 100)),
        ingestWith([paid(2, 1.5), split(2, 4)], bar(1, 100)),
      )
      .then({
        payload: {
          bars: [],
          actions: [
            { type: "dividend", exDate: "1970-01-03", amount: 1.5, before: 1 },
            { type: "split", numerator: 4, denominator: 1, before: null },
          ],
        },
      });
    given(registered)
      .when(ingestWith([paid(2, 1)], bar(1, 100)), ingestWith([paid(2, 1)], bar(1, 100)))
      .thenNothing();
    given(registered)
      .when(ingestWith([paid(2, 1)]), ingestWith([paid(2, 0)]))
      .thenState(({ actions }) =>
        expect([...actions.values()]).toEqual([{ ...paid(2, 0), version: 3 }]),
      );
  });

  it("split into parts that stay small, each action in exactly one, before the bars", () => {
    const actions = Array.from({ length: 2_000 }, (_, n) => paid(n, 1 + n / 7));
    const added = Array.from({ length: 900 }, (_, n) => bar(n, 100));
    const about = {
      symbol: "ACME",
      resolution: "1d",
      source: "x",
      scheduleId: null,
      slot: null,
    } as const;
    const events = ingestEvents({ added, revised: [] }, about, mergeActions([], actions));
    expect(events.length).toBeGreaterThan(3);
    expect(events.flatMap(actionsOf).map(fromActionFact)).toEqual(actions);
    for (const event of events) expect(JSON.stringify(event).length).toBeLessThan(64_000);
    expect(events.at(-1)).toMatchObject({
      payload: { bars: expect.arrayContaining([expect.anything()]) },
    });
  });
});

describe("actions of an upload", () => {
  const NOW = Date.UTC(2024, 5, 1);
  const check = (actions: readonly JsonAction[], type: "STOCK" | "FX" = "STOCK") =>
    checkActions(actions, { now: NOW, type });
  const good: JsonAction = { type: "dividend", exDate: "2024-02-09", amount: 0.24 };
  const parted: JsonAction = { type: "split", exDate: "2024-02-09", numerator: 4, denominator: 1 };

  it("are taken, the same twice as one", () => {
    expect(check([good, parted, good])).toEqual({
      ok: true,
      actions: [
        { type: "dividend", exDate: Date.UTC(2024, 1, 9), amount: 0.24 },
        { type: "split", exDate: Date.UTC(2024, 1, 9), numerator: 4, denominator: 1 },
      ],
    });
    expect(check([{ ...good, amount: 0 }])).toMatchObject({ ok: true, actions: [{ amount: 0 }] });
    expect(check([])).toEqual({ ok: true, actions: [] });
  });

  it.each<[string, JsonAction, string, RegExp]>([
    ["an instant", { ...good, exDate: "2024-02-09T00:00:00Z" }, "exDate", /YYYY-MM-DD/],
    ["a day that is none", { ...good, exDate: "2024-02-30" }, "exDate", /calendar/],
    ["tomorrow", { ...good, exDate: "2024-06-02" }, "exDate", /future/],
    ["long ago", { ...good, exDate: "1850-01-01" }, "exDate", /1900/],
    ["less than nothing", { ...good, amount: -1 }, "amount", /below zero/],
    ["too much", { ...good, amount: 1e16 }, "amount", /beyond/],
    ["a split into nothing", { ...parted, numerator: 0 }, "numerator", /above zero/],
    ["a split of nothing", { ...parted, denominator: -1 }, "denominator", /above zero/],
    ["a split into millions", { ...parted, numerator: 2e6 }, "numerator", /beyond/],
  ])("are refused with row and field: %s", (_, action, field, reason) => {
    const checked = check([good, action]);
    if (checked.ok) throw new Error("it was taken");
    expect(checked.total).toBe(1);
    expect(checked.errors[0]).toMatchObject({ row: 2, field: `actions.${field}`, line: null });
    expect(checked.errors[0]?.reason).toMatch(reason);
  });

  it("contradict each other with the row of the first, and belong to stocks", () => {
    expect(check([good, parted, { ...good, amount: 1 }])).toMatchObject({
      ok: false,
      errors: [{ row: 3, field: "actions.exDate", reason: expect.stringContaining("row 1") }],
    });
    expect(check([good], "FX")).toMatchObject({
      ok: false,
      errors: [{ row: 1, field: "actions.type" }],
    });
  });
});
