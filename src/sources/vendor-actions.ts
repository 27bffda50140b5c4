import type { Bar } from "../domain/asset/bar.ts";
import { actionKey, type CorporateAction } from "../domain/asset/corporate-action.ts";
import { MAX_PRICE } from "../domain/asset/read-number.ts";
import type { HistoryRequest } from "./price-source.ts";

/**
 * An action in a vendor's answer, or null where it could not be read at all. Its numbers may be
 * anything.
 */
export type ReportedAction = CorporateAction | null;

const EARLIEST = Date.UTC(1900, 0, 1);
const MAX_SHARES = 1e6;

export const ACTIONS_NOTE = "dividends or splits of this period that cannot be were left out";

/**
 * A vendor's dividends and splits in storable form: of stocks, of past days, one of a kind a day,
 * above zero and below the close before. Two dividends of a day are one of their sum, as vendors
 * themselves write a special one with the regular; a repeated one counts once; two splits of a day
 * contradict each other. Impossible ones are left out and counted, because bars are useful without
 * them.
 */
export function vendorActions(
  reported: readonly ReportedAction[],
  bars: readonly Bar[],
  { type }: Pick<HistoryRequest, "type">,
  now: number,
): { readonly actions: readonly CorporateAction[]; readonly leftOut: number } {
  if (type !== "STOCK") return { actions: [], leftOut: 0 };
  const days = new Map<string, Set<string>>();
  let leftOut = 0;
  for (const action of reported) {
    if (action === null || !isPossible(action, now)) {
      leftOut += 1;
      continue;
    }
    const key = actionKey(action);
    days.set(key, (days.get(key) ?? new Set()).add(JSON.stringify(action)));
  }
  const actions: CorporateAction[] = [];
  for (const texts of days.values()) {
    const action = oneOf([...texts].map((text) => JSON.parse(text) as CorporateAction));
    if (action === null || !isPossible(action, now) || !isBelowClose(action, bars))
      leftOut += texts.size;
    else actions.push(action);
  }
  return { actions: actions.toSorted((a, b) => a.exDate - b.exDate), leftOut };
}

/** Merges different actions of one kind and day; null for a contradiction. */
function oneOf(actions: readonly CorporateAction[]): CorporateAction | null {
  const [first] = actions;
  if (first === undefined || actions.length === 1) return first ?? null;
  if (first.type === "split") return null;
  const amount = actions.reduce(
    (sum, one) => (one.type === "dividend" ? sum + one.amount : sum),
    0,
  );
  return { ...first, amount };
}

function isPossible(action: CorporateAction, now: number): boolean {
  if (!(action.exDate >= EARLIEST && action.exDate <= now)) return false;
  if (action.type === "dividend") return action.amount > 0 && action.amount <= MAX_PRICE;
  return [action.numerator, action.denominator].every(
    (shares) => shares > 0 && shares <= MAX_SHARES,
  );
}

/** No company pays more than it is worth; without the bar before there is no limit. */
function isBelowClose(action: CorporateAction, bars: readonly Bar[]): boolean {
  if (action.type === "split") return true;
  const before = bars.findLast(({ timestamp }) => timestamp < action.exDate);
  return before === undefined || action.amount < before.close;
}
