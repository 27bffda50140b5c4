import type { CalendarId } from "../market/calendar-id.ts";
import type { Resolution } from "../market/resolution.ts";
import { type CorporateAction, firstBarWithout } from "./corporate-action.ts";
import { type ActionsBetween, type AdjustmentStep, factorsOf } from "./total-return.ts";

/**
 * The bars on both sides of a key: closes, and the timestamp (epoch ms) of the first from the key
 * on.
 */
export interface ClosesAround {
  readonly before: number | null;
  readonly after: number | null;
  readonly first: number | null;
}

/** Actions by the key of the first bar that is traded without their benefit. */
export function actionsByKey(
  actions: readonly CorporateAction[],
  resolution: Resolution,
  calendar: CalendarId,
): ReadonlyMap<number, readonly CorporateAction[]> {
  return Map.groupBy(actions, (action) => firstBarWithout(resolution, calendar, action));
}

/**
 * The actions with the closes around them. Days that lie between the same two bars (a long weekend,
 * a missing bar) are one.
 */
export function actionsBetween(
  byKey: ReadonlyMap<number, readonly CorporateAction[]>,
  around: (key: number) => ClosesAround,
): ActionsBetween[] {
  const between = new Map<number, ActionsBetween>();
  for (const [key, own] of [...byKey].toSorted(([a], [b]) => a - b)) {
    const { before, after, first } = around(key);
    const at = first ?? key;
    between.set(at, { at, before, after, actions: [...(between.get(at)?.actions ?? []), ...own] });
  }
  return [...between.values()];
}

/**
 * The adjustment steps of a series for the splits that its bars still show, oldest first. The
 * dividends of the same days only help to detect whether they do.
 */
export const splitSteps = (between: readonly ActionsBetween[]): AdjustmentStep[] =>
  between
    .toSorted((a, b) => a.at - b.at)
    .flatMap(({ at, ...rest }) => {
      const split = factorsOf(rest)?.split ?? 1;
      const actions = rest.actions.filter(({ type }) => type === "split").length;
      return split === 1 ? [] : [{ at, factor: split, split, actions }];
    });

/**
 * The price basis in an answer: prices after every split on record, and how many splits were taken
 * out of the stored ones.
 */
export const priceBasis = (
  prices: readonly { readonly splits: number }[],
): { readonly adjusted: "split"; readonly actionsApplied: number } => ({
  adjusted: "split",
  actionsApplied: prices.reduce((sum, { splits }) => sum + splits, 0),
});
